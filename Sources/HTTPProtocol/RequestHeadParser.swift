/// How much of a head is read before it is refused.
public struct RequestHeadLimits: Sendable, Hashable {
    /// All bytes of the head, line ends included. 16 KiB: h11's default, and what Node.js allows;
    /// nginx and Apache allow 8 KiB for each line and more for all of them.
    public var headByteLimit: Int
    /// Field lines. 128: a little more than Apache's `LimitRequestFields` 100.
    public var fieldCountLimit: Int

    /// The defaults, but for what is given.
    public init(headByteLimit: Int = 16_384, fieldCountLimit: Int = 128) {
        self.headByteLimit = headByteLimit
        self.fieldCountLimit = fieldCountLimit
    }
}

/// Reads the request heads of one connection, one after the other.
///
/// Feed it bytes as they come. It keeps what belongs to an incomplete head, within the limits, and
/// owns no memory otherwise. After `.complete` it is ready for the next head; the bytes of a body
/// are for the caller to take off first.
public struct RequestHeadParser: Sendable {
    /// What came of one call.
    public enum Progress: Sendable, Hashable {
        /// All bytes are taken; the head goes on.
        case incomplete
        /// - Parameter consumedByteCount: how many bytes of *this call* belong to the head.
        case complete(RequestHead, consumedByteCount: Int)
    }

    private var collector: HeadCollector<RequestLine>

    /// A parser before the first byte of a connection.
    public init(limits: RequestHeadLimits = RequestHeadLimits()) {
        collector = HeadCollector(limits: limits)
    }

    /// Whether a head has begun and not ended: the client that leaves now leaves in the middle.
    public var hasPartialHead: Bool { !collector.isEmpty }

    /// Takes the bytes that follow those of the last call.
    ///
    /// - Throws: `RequestError`. Where the next request begins can not be known then, so the
    ///   connection is to be closed after the answer.
    public mutating func parse(
        _ bytes: UnsafeRawBufferPointer
    ) throws(RequestError) -> Progress {
        guard let head = try collector.collect(bytes.bindMemory(to: UInt8.self).span) else {
            return .incomplete
        }
        return .complete(
            try RequestHead(head.startLine, head.fields),
            consumedByteCount: head.consumedByteCount)
    }
}
