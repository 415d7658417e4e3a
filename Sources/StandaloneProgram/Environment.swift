import Glibc

/// Options in the environment: `WEBSOCKETHOST_PORT=8080` is `--port 8080`.
enum Environment {
    static let prefix = "WEBSOCKETHOST_"

    /// Variables that are no options: standalone.sh, Package.swift, the tests, and the server
    /// processes of a supervisor read them.
    static let reserved: Set = [
        "BUILD", "HANDLERS", "INSTALL", "COMMAND", "CLIENT_COMMAND", "WORKER", "LEFT_OUT",
        "TRAPPING", "PEERS", "UWS", StartOptions.variableName,
    ]

    /// Where the checkout is that standalone.sh lies in.
    static let checkout = "STANDALONE_PACKAGE"

    /// What a supervisor knows from standalone.sh, and sets for the runtime of its processes.
    static let ofSupervisor = [checkout, "SWIFT_BACKTRACE", StartOptions.variable]

    /// The variables of this process that begin with ``prefix``.
    static func own() -> [String: String] {
        var variables: [String: String] = [:]
        for text in all() {
            guard text.hasPrefix(prefix), let separator = text.firstIndex(of: "=") else { continue }
            variables[String(text[..<separator])] = String(text[text.index(after: separator)...])
        }
        return variables
    }

    /// All variables of this process, as `NAME=value`.
    static func all() -> [String] {
        var texts: [String] = []
        var next = environ
        while let entry = next.pointee {
            next += 1
            texts.append(String(cString: entry))
        }
        return texts
    }

    static func value(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
