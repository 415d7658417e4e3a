/// One end of an established connection: bytes go in, events come out (RFC 6455 §5 to §7).
///
/// A value without I/O and without a clock. The caller passes in the bytes it read, and sends the
/// frames that the session makes. The session knows which frame may follow which, for both roles,
/// so server, client and tests obey the same rules. `Session+Receiving`,
/// `Session+Inflating`, `Session+Pieces` and `Session+Sending` hold the two directions.
///
/// Between messages it owns no memory beside itself, unless compression keeps context. A copy
/// shares the zlib streams with the original, so only one of the two may be used.
public struct Session {
    /// What the peer sent.
    public enum Event: Sendable, Hashable {
        case message(Message)
        /// Of a message that ``receiveInPieces()`` asked for.
        case piece(Piece)
        case ping([UInt8])
        case pong([UInt8])
        case close(Close)
    }

    public let role: Role
    /// The longest message, in bytes of payload; a longer one is ``ProtocolError/messageTooBig``.
    public let messageByteLimit: Int

    /// The peer's Close, once it has arrived. Bytes after it are dropped unread (§5.5.1).
    public internal(set) var receivedClose: Close? {
        get { occasional?.receivedClose }
        set {
            ownOccasional.receivedClose = newValue
            hasReceivedClose = newValue != nil
        }
    }
    /// Our Close, once its frame has been made. Nothing may be sent after it.
    public internal(set) var sentClose: Close? {
        get { occasional?.sentClose }
        set {
            ownOccasional.sentClose = newValue
            hasSentClose = newValue != nil
        }
    }

    /// Called with each valid header, before it is checked against its message: for logs that show
    /// every frame.
    public var frameObserver: (@Sendable (FrameHeader) -> Void)? {
        get { occasional?.frameObserver }
        set { ownOccasional.frameObserver = newValue }
    }

    /// How much of a message was given in pieces, or dropped.
    var givenByteCount: Int {
        get { occasional?.givenByteCount ?? 0 }
        set { if newValue != givenByteCount { ownOccasional.givenByteCount = newValue } }
    }

    /// State that a session has only at its end, when every frame is logged, or for pieces.
    private final class OccasionalState {
        var receivedClose: Close?
        var sentClose: Close?
        var frameObserver: (@Sendable (FrameHeader) -> Void)?
        var givenByteCount = 0

        init(copying other: OccasionalState?) {
            receivedClose = other?.receivedClose
            sentClose = other?.sentClose
            frameObserver = other?.frameObserver
            givenByteCount = other?.givenByteCount ?? 0
        }
    }
    private var occasional: OccasionalState?
    /// The occasional state for a change: a copy of our own, because a session is a value.
    private var ownOccasional: OccasionalState {
        mutating get {
            if isKnownUniquelyReferenced(&occasional), let occasional { return occasional }
            let copy = OccasionalState(copying: occasional)
            occasional = copy
            return copy
        }
    }

    // The parts of a frame or message that have arrived so far. The small ones lie in the last word
    // of the frame's header.
    var headerStart: [UInt8] = []
    var frameReceivedByteCount = 0
    var controlPayload: [UInt8] = []
    var messagePayload: [UInt8] = []
    var frame: FrameHeader?
    var messageKind: Opcode?
    var validator = UTF8Validator()
    var hasFailed = false
    /// See Session+Pieces.swift, where all of its transitions are.
    var delivery = Delivery.whole
    /// Whether there is a ``sentClose``.
    public private(set) var hasSentClose = false
    /// Whether there is a ``receivedClose``.
    public private(set) var hasReceivedClose = false

    /// The kind of the fragmented message that we are sending.
    public internal(set) var sendingKind: Opcode?

    @usableFromInline let hasCompression: Bool
    /// The negotiated compression (RFC 7692); `nil`: no message may be compressed.
    let compression: SessionCompression?
    /// How much of a compressed message has arrived, before inflating.
    var compressedByteCount: Int {
        get { compression?.receivedByteCount ?? 0 }
        set { compression?.receivedByteCount = newValue }
    }

    /// - Parameters:
    ///   - messageByteLimit: counts payload bytes, after inflating.
    ///   - compression: what the handshake negotiated.
    public init(
        role: Role, messageByteLimit: Int = 1 << 20, compression: SessionCompression? = nil
    ) {
        self.role = role
        self.messageByteLimit = messageByteLimit
        self.compression = compression?.unused()
        hasCompression = compression != nil
    }

    /// How many bytes a compressed message may have on the wire. That is far more than a useful one
    /// needs: one sent in pieces of a byte takes eight times its length.
    var compressedByteLimit: Int {
        let (limit, overflow) = messageByteLimit.multipliedReportingOverflow(by: 16)
        return overflow ? .max : max(limit, 65_536)
    }

    /// Whether a frame or a fragmented message has begun and not ended.
    public var isInsideMessage: Bool {
        messageKind != nil || frame != nil || !headerStart.isEmpty
    }

    /// How much is kept of a message that is not complete, in bytes of its payload.
    public var unfinishedByteCount: Int { messagePayload.count }
}
