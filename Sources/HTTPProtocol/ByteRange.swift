/// What a `Range` field asks of a representation (RFC 9110 §14.2).
public enum RangeRequest: Sendable, Hashable {
    /// There is no range to honour: the whole is sent.
    case whole
    /// These bytes, in the order asked for, none empty; those that touch are joined.
    case parts([Range<Int>])
    /// No byte that was asked for is there: 416.
    case unsatisfiable

    /// 16 ranges: a PDF reader asks for a few. RFC 9110 §17.15 allows to ignore "egregious"
    /// requests.
    public static let rangeCountLimit = 16

    /// Reads `bytes=0-499, 600-, -500`.
    ///
    /// RFC 9110 §14.2: "a server MAY ignore the Range header field"; it is ignored here if the unit
    /// is not `bytes`, if the value does not follow the grammar, and if it has more than
    /// ``rangeCountLimit`` ranges.
    ///
    /// - Parameter byteCount: the length of the representation.
    public init(_ value: String, byteCount: Int) {
        let halves = value.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2, HeaderGrammar.equalsIgnoringCase(String(halves[0]), "bytes"),
            let specifiers = HeaderGrammar.elements(of: String(halves[1])),
            !specifiers.isEmpty, specifiers.count <= Self.rangeCountLimit
        else {
            self = .whole
            return
        }
        var ranges: [Range<Int>] = []
        for specifier in specifiers {
            switch Self.range(specifier, byteCount: byteCount) {
            case .malformed:
                self = .whole
                return
            case .absent: break
            case .present(let range): Self.add(range, to: &ranges)
            }
        }
        self = ranges.isEmpty ? .unsatisfiable : .parts(ranges)
    }

    private enum Specifier {
        case malformed
        /// Beyond the end.
        case absent
        case present(Range<Int>)
    }

    /// RFC 9110 §14.1.1: `int-range = first-pos "-" [ last-pos ]`, `suffix-range = "-"
    /// suffix-length`.
    private static func range(_ text: String, byteCount: Int) -> Specifier {
        let parts = text.utf8.split(
            separator: UInt8(ascii: "-"), maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return .malformed }
        if parts[0].isEmpty {
            guard let length = position(parts[1]) else { return .malformed }
            let start = max(0, byteCount - length)
            return start < byteCount ? .present(start..<byteCount) : .absent
        }
        guard let first = position(parts[0]) else { return .malformed }
        var end = byteCount
        if !parts[1].isEmpty {
            guard let last = position(parts[1]), last >= first else { return .malformed }
            end = last < byteCount ? last + 1 : byteCount
        }
        return first < end ? .present(first..<end) : .absent
    }

    /// A number that `Int` cannot hold is as good as the largest: it lies beyond the end.
    private static func position(_ digits: Substring.UTF8View) -> Int? {
        guard !digits.isEmpty, digits.allSatisfy(Byte.isDigit) else { return nil }
        return Byte.number(digits) ?? .max
    }

    /// RFC 9110 §14.2 and §15.3.7.2: a server may coalesce ranges that overlap or touch.
    private static func add(_ range: Range<Int>, to ranges: inout [Range<Int>]) {
        var joined = range
        var place: Int?
        for index in ranges.indices.reversed() {
            let other = ranges[index]
            guard other.lowerBound <= joined.upperBound, joined.lowerBound <= other.upperBound
            else {
                continue
            }
            joined =
                min(other.lowerBound, joined.lowerBound)..<max(other.upperBound, joined.upperBound)
            ranges.remove(at: index)
            place = index
        }
        ranges.insert(joined, at: place ?? ranges.count)
    }

    /// The value of `Content-Range` for a part (RFC 9110 §14.4).
    public static func contentRange(_ range: Range<Int>, byteCount: Int) -> String {
        "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(byteCount)"
    }
}
