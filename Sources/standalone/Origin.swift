import WebSocketHost

/// Where a setting is from, from the weakest to the strongest.
enum Origin: Sendable, Hashable {
    case file(path: String, lineNumber: Int)
    case environment(variable: String)
    /// As it was spelt.
    case commandLine(String)

    var strength: Int {
        switch self {
        case .file: 0
        case .environment: 1
        case .commandLine: 2
        }
    }

    /// In front of what is wrong with the value.
    func blame(_ key: String) -> String {
        switch self {
        case .file(let path, let lineNumber): "\(escaped(path)):\(lineNumber): \(escaped(key))"
        case .environment(let variable): variable
        case .commandLine(let spelling): spelling
        }
    }
}

extension Origin: CustomStringConvertible {
    var description: String {
        switch self {
        case .file(let path, let lineNumber): "\(escaped(path)):\(lineNumber)"
        case .environment(let variable): "environment: \(variable)"
        case .commandLine(let spelling): "command line: \(spelling)"
        }
    }
}

/// An option that was given somewhere.
struct Assignment: Sendable {
    let option: Option
    var text: String
    let origin: Origin
    /// The option as it was spelt there, for messages.
    let key: String

    /// Whether a flag is set.
    func isSet() throws(UsageError) -> Bool {
        text.isEmpty && origin.strength == 2 ? true : try Values.flag(text, origin.blame(key))
    }
}
