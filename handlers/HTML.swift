/// A piece of a page. A literal is markup; a value that is put into it with `\(…)` is escaped:
///
/// ```swift
/// let text = "<script>"
/// let line: HTML = "<li>\(text)</li>"  // <li>&lt;script&gt;</li>
/// ```
///
/// Another piece of HTML is put in unescaped. So it takes an effort to forget escaping.
public struct HTML: Sendable, ExpressibleByStringInterpolation {
    /// The text to send.
    public let markup: String

    public init(stringLiteral markup: StaticString) { self.markup = "\(markup)" }
    public init(stringInterpolation: StringInterpolation) { markup = stringInterpolation.markup }

    public struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var markup = ""

        public init(literalCapacity: Int, interpolationCount: Int) {
            markup.reserveCapacity(literalCapacity + 32 * interpolationCount)
        }

        public mutating func appendLiteral(_ literal: StaticString) { markup += "\(literal)" }
        public mutating func appendInterpolation(_ html: HTML) { markup += html.markup }
        public mutating func appendInterpolation(_ number: Int) { markup += "\(number)" }

        public mutating func appendInterpolation(_ text: String) {
            for scalar in text.unicodeScalars {
                switch scalar {
                case "&": markup += "&amp;"
                case "<": markup += "&lt;"
                case ">": markup += "&gt;"
                case "\"": markup += "&quot;"
                case "'": markup += "&#39;"
                default: markup.unicodeScalars.append(scalar)
                }
            }
        }
    }
}
