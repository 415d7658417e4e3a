/// A line of the log, put together piece by piece.
///
/// As bytes, because each connection has two lines of many pieces, and interpolation takes several times
/// as long for each.
struct LineText {
    private var bytes: [UInt8] = []

    /// 160: more than most lines about a connection have.
    private static let usualByteCount = 160

    init() { bytes.reserveCapacity(Self.usualByteCount) }

    /// A line's beginning in ``LogFormat/text``.
    init(_ level: LogLevel, _ moment: LogMoment) {
        self.init()
        append(moment.local)
        append(" ")
        append(level.name)
        append(" ")
    }

    mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { bytes.append(contentsOf: $0) }
    }

    mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    /// In decimal digits.
    mutating func append(_ number: Int) {
        let magnitude = number.magnitude
        if number < 0 { append("-") }
        var divisor: UInt = 1
        while magnitude / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: magnitude / divisor % 10))
            divisor /= 10
        }
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    func withUnsafeBytes(_ body: (UnsafeRawBufferPointer) -> Void) { bytes.withUnsafeBytes(body) }
}
