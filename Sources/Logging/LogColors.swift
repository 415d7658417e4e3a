import Glibc

extension LogLevel {
    /// Whether levels have colours there: on a terminal that can show them, unless the user wants
    /// none (https://no-color.org).
    static func areColored(on descriptor: Int32) -> Bool {
        func value(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }
        return isatty(descriptor) == 1 && value("NO_COLOR").isEmpty
            && !["", "dumb"].contains(value("TERM"))
    }

    /// ECMA-48 "select graphic rendition": faint, green, yellow, red, bold red.
    var colorStart: StaticString {
        switch self {
        case .fine, .debug: "\u{1B}[2m"
        case .info: "\u{1B}[32m"
        case .warning: "\u{1B}[33m"
        case .error: "\u{1B}[31m"
        case .critical: "\u{1B}[1;31m"
        }
    }

    static var colorEnd: StaticString { "\u{1B}[0m" }
}
