/// Writes a head straight into the bytes that are sent: a start line, field lines, and the empty
/// line that ends them (RFC 9112 §2.1).
///
/// All heads are written here, a request's, a response's and a handshake's. A field that every
/// response has to carry is added at the end of ``init(_:version:byteCount:)``.
public struct HeadWriter: ~Copyable {
    private var bytes: [UInt8] = []

    /// 256: a usual response has less.
    public static let usualByteCount = 256
    private static let fieldSeparator: StaticString = ": "
    private static let http11: StaticString = "HTTP/1.1 "

    /// Begins a response.
    ///
    /// - Parameter byteCount: how long the head will be, about: memory is reserved for that.
    public init(
        _ status: Status, version: HTTPVersion = .http11, byteCount: Int = usualByteCount
    ) {
        bytes.reserveCapacity(byteCount)
        if version == .http11 {
            append(Self.http11)
        } else {
            Byte.append("\(version) ", to: &bytes)
        }
        let code = status.code
        bytes.append(Byte.zero &+ UInt8(truncatingIfNeeded: code / 100))
        bytes.append(Byte.zero &+ UInt8(truncatingIfNeeded: code / 10 % 10))
        bytes.append(Byte.zero &+ UInt8(truncatingIfNeeded: code % 10))
        bytes.append(Byte.space)
        Byte.append(status.reasonPhrase, to: &bytes)
        endLine()
    }

    /// Begins a request.
    init(method: String, target: String, version: HTTPVersion, byteCount: Int = usualByteCount) {
        bytes.reserveCapacity(byteCount + target.utf8.count)
        Byte.append("\(method) \(target) \(version)", to: &bytes)
        endLine()
    }

    /// Adds field lines that the source spells out, each with its CR LF but the last one, whose
    /// value `body` writes behind them.
    public mutating func append(lines: StaticString, lastValue body: (inout [UInt8]) -> Void) {
        append(lines)
        body(&bytes)
        endLine()
    }

    /// Adds a field line whose value the program made: it is not checked.
    ///
    /// - Parameter value: without control characters. What came from outside belongs in `Fields`.
    public mutating func append(_ name: StaticString, _ value: String) {
        append(name)
        append(Self.fieldSeparator)
        Byte.append(value, to: &bytes)
        endLine()
    }

    /// Adds fields in their order.
    public mutating func append(_ fields: Fields) { fields.serialize(into: &bytes) }

    /// Ends the head.
    public consuming func finish() -> [UInt8] {
        endLine()
        return bytes
    }

    private mutating func endLine() {
        bytes.append(Byte.carriageReturn)
        bytes.append(Byte.lineFeed)
    }

    private mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }
}
