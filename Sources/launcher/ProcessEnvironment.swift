import Glibc

/// The variables of this process.
enum ProcessEnvironment {
    /// `NAME=value`
    static var all: [String] {
        var texts: [String] = []
        var next = environ
        while let entry = next.pointee {
            next += 1
            texts.append(String(cString: entry))
        }
        return texts
    }

    /// `nil` for an empty one too.
    static func value(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
}
