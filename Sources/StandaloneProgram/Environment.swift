import Glibc

/// Options in the environment: `WEBSOCKETHOST_PORT=8080` is `--port 8080`.
enum Environment {
    static let prefix = "WEBSOCKETHOST_"

    /// Read by standalone.sh, Package.swift and the tests; no options.
    static let reserved: Set = ["BUILD", "HANDLERS", "HANDLERS_LIST", "COMMAND", "CLIENT_COMMAND"]

    /// The variables of this process that begin like ours.
    static func own() -> [String: String] {
        var variables: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            next += 1
            let text = String(cString: entry)
            guard text.hasPrefix(prefix), let separator = text.firstIndex(of: "=") else { continue }
            variables[String(text[..<separator])] = String(text[text.index(after: separator)...])
        }
        return variables
    }
}
