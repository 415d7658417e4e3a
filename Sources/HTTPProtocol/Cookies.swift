/// The cookies of a request (RFC 6265 §5.4).
///
/// `cookie-string = cookie-pair *( ";" SP cookie-pair )`. Of two with one name the first counts: a
/// browser sends the one with the longer path first. Values are as sent, quotes included. What has
/// no "=" is left out. Their number is bounded by the limits of the head.
public struct Cookies: Sendable, Hashable {
    /// By the names' bytes: to Swift, U+212A is a "K".
    private var values: [[UInt8]: String] = [:]

    /// Reads the `Cookie` lines.
    public init(_ fields: Fields) {
        for line in fields.values(of: "Cookie") {
            for pair in line.utf8.split(separator: Byte.semicolon) {
                guard let equals = pair.firstIndex(of: Byte.equals) else { continue }
                let name = Array(Byte.trimmed(pair[..<equals]))
                if values[name] == nil {
                    values[name] = Self.text(pair[equals...].dropFirst())
                }
            }
        }
    }

    /// Names differ by case.
    public subscript(_ name: String) -> String? { values[Array(name.utf8)] }

    /// In no order.
    public var names: [String] { values.keys.map { String(decoding: $0, as: UTF8.self) } }

    /// Of different names.
    public var count: Int { values.count }

    /// Whether there is no cookie.
    public var isEmpty: Bool { values.isEmpty }

    private static func text(_ bytes: Substring.UTF8View) -> String {
        String(Substring(Byte.trimmed(bytes)))
    }
}
