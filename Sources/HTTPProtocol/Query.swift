/// The names and values in a query, as forms write them: `a=1&b=two+words&c`.
///
/// Follows the URL standard's `application/x-www-form-urlencoded` parser: no query is wrong, a "%"
/// without digits stands for itself, and bytes that are not UTF-8 become U+FFFD.
public struct Query: Sendable, Hashable {
    /// `name=value`, decoded.
    public struct Item: Sendable, Hashable {
        /// May be empty.
        public let name: String
        /// Empty if there was no "=".
        public let value: String

        /// By bytes: to Swift, U+212A is a "K".
        fileprivate func hasName(_ other: String) -> Bool {
            name.utf8.elementsEqual(other.utf8)
        }
    }

    /// 1,000: PHP's `max_input_vars`.
    public static let itemCountLimit = 1_000

    /// In their order; those after the limit are left out.
    public let items: [Item]

    /// - Parameter raw: without the "?".
    public init(_ raw: String) {
        items = raw.utf8.split(
            separator: UInt8(ascii: "&"), maxSplits: Self.itemCountLimit
        ).prefix(Self.itemCountLimit).map(Self.item)
    }

    /// The first value of that name.
    public subscript(_ name: String) -> String? {
        items.first { $0.hasName(name) }?.value
    }

    /// Whether the name is there, with a value or without.
    public func contains(_ name: String) -> Bool {
        items.contains { $0.hasName(name) }
    }

    /// All values of that name, in their order.
    public func values(of name: String) -> [String] {
        items.filter { $0.hasName(name) }.map(\.value)
    }

    private static func item(_ text: Substring.UTF8View) -> Item {
        let equals = text.firstIndex(of: Byte.equals) ?? text.endIndex
        return Item(name: decoded(text[..<equals]), value: decoded(text[equals...].dropFirst()))
    }

    private static func decoded(_ text: Substring.UTF8View) -> String {
        let bytes = PercentEncoding.decoded(text, isStrict: false, plusIsSpace: true)
        return String(decoding: bytes ?? [], as: UTF8.self)
    }
}
