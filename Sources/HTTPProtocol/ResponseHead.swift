/// A status line and its fields (RFC 9112 §4).
public struct ResponseHead: Sendable, Hashable {
    /// The status line's code and phrase.
    public var status: Status
    /// In the order they are sent.
    public var fields: Fields
    /// 1.x: of a parsed head, the peer's; 1.1 in ours.
    public var version: HTTPVersion

    /// A head to send.
    public init(status: Status, fields: Fields = Fields(), version: HTTPVersion = .http11) {
        self.status = status
        self.fields = fields
        self.version = version
    }

    /// The head as it is sent, with the empty line that ends it.
    public func serialized() -> [UInt8] {
        var writer = HeadWriter(status, version: version)
        writer.append(fields)
        return writer.finish()
    }
}

/// Reads the response heads of one connection: the client's half of `RequestHeadParser`.
public struct ResponseHeadParser: Sendable {
    /// What came of one call.
    public enum Progress: Sendable, Hashable {
        /// All bytes are taken; the head goes on.
        case incomplete
        /// - Parameter consumedByteCount: how many bytes of *this call* belong to the head.
        case complete(ResponseHead, consumedByteCount: Int)
    }

    private var collector: HeadCollector<StatusLine>

    /// A parser before the first byte of a connection.
    public init(limits: RequestHeadLimits = RequestHeadLimits()) {
        collector = HeadCollector(limits: limits)
    }

    /// Whether a head has begun and not ended.
    public var hasPartialHead: Bool { !collector.isEmpty }

    /// Takes the bytes that follow those of the last call.
    ///
    /// - Throws: `ResponseError`; the connection is not usable then.
    public mutating func parse(
        _ bytes: UnsafeRawBufferPointer
    ) throws(ResponseError) -> Progress {
        guard let head = try collector.collect(bytes.bindMemory(to: UInt8.self).span) else {
            return .incomplete
        }
        let line = head.startLine
        return .complete(
            ResponseHead(status: line.status, fields: head.fields, version: line.version),
            consumedByteCount: head.consumedByteCount)
    }
}

/// RFC 9112 §4: `status-line = HTTP-version SP status-code SP [ reason-phrase ]`.
private struct StatusLine: StartLine {
    let version: HTTPVersion
    let status: Status

    static let leadingEmptyLineLimit = 0

    /// Many servers leave out the space before an empty phrase; so may this one.
    init(_ line: Span<UInt8>) throws(ResponseError) {
        guard line.count >= 12, line[8] == Byte.space,
            let version = HTTPVersion(line.extracting(..<8)),
            line.count == 12 || line[12] == Byte.space
        else { throw .malformedStatusLine }
        guard version.major == 1 else { throw .unsupportedVersion(version) }
        var code = 0
        for index in 9..<12 {
            guard Byte.isDigit(line[index]) else { throw .malformedStatusLine }
            code = code * 10 + Int(line[index] - Byte.zero)
        }
        let phrase = line.extracting(min(13, line.count)..<line.count).text
        guard let status = Status(code, reasonPhrase: phrase) else { throw .malformedStatusLine }
        self.version = version
        self.status = status
    }

    static func tooLong(byteLimit: Int) -> ResponseError {
        .head(.headTooLong(byteLimit: byteLimit))
    }

    static func failure(_ error: HeadError) -> ResponseError { .head(error) }
}
