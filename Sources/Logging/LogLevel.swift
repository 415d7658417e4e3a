/// How much a log line matters.
public enum LogLevel: Int, Sendable, Comparable, CaseIterable {
    /// Every frame.
    case fine
    case debug
    /// Connections coming and going.
    case info
    case warning
    case error
    case critical

    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

    /// Reads a level's name, `warn` included, in any case.
    public init?(name: String) {
        let name = name.lowercased()
        let found = Self.allCases.first { $0.name == name }
        guard let level = name == "warn" ? .warning : found else { return nil }
        self = level
    }

    public var name: String {
        switch self {
        case .fine: "fine"
        case .debug: "debug"
        case .info: "info"
        case .warning: "warning"
        case .error: "error"
        case .critical: "critical"
        }
    }
}
