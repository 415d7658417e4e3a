/// One end of an established connection: bytes go in, events come out (RFC 6455 §5 to §7).
///
/// A value without I/O or clock. The caller feeds it what it read and sends the frames it is told
/// to; the rules of what may follow what are here, for both roles, so that server, client and tests
/// obey the same ones. SessionReceiving and SessionSending hold one direction each.
///
/// Between messages it owns no memory beside itself, unless compression keeps context. A copy
/// shares the zlib streams with the original, so only one of them may be used on.
public struct Session {
    /// What arrived.
    public enum Event: Sendable, Hashable {
        case message(Message)
        case ping([UInt8])
        case pong([UInt8])
        case close(Close)
    }

    public let role: Role
    /// The longest message taken, in bytes of payload; over it: ``ProtocolError/messageTooBig``.
    public let messageByteLimit: Int

    /// The peer's Close, once it came. Bytes after it are dropped unread (§5.5.1).
    public internal(set) var receivedClose: Close? {
        get { rare?.receivedClose }
        set {
            madeRare.receivedClose = newValue
            hasReceivedClose = newValue != nil
        }
    }
    /// Our Close, once a frame for it was made. Nothing may be sent after it.
    public internal(set) var sentClose: Close? {
        get { rare?.sentClose }
        set {
            madeRare.sentClose = newValue
            hasSentClose = newValue != nil
        }
    }

    /// Told of each header that is one, before it is held against the message it belongs to: for
    /// logs that show every frame.
    public var frameObserver: (@Sendable (FrameHeader) -> Void)? {
        get { rare?.frameObserver }
        set { madeRare.frameObserver = newValue }
    }

    /// What an idle session has none of.
    private final class Rare {
        var receivedClose: Close?
        var sentClose: Close?
        var frameObserver: (@Sendable (FrameHeader) -> Void)?

        init(copying other: Rare?) {
            receivedClose = other?.receivedClose
            sentClose = other?.sentClose
            frameObserver = other?.frameObserver
        }
    }
    private var rare: Rare?
    /// To be changed: one of its own, as a session is a value.
    private var madeRare: Rare {
        mutating get {
            if isKnownUniquelyReferenced(&rare), let rare { return rare }
            let copy = Rare(copying: rare)
            rare = copy
            return copy
        }
    }

    // What of a frame or message came so far. The small ones lie in the last word of the frame's
    // header.
    var headerStart: [UInt8] = []
    var frameReceivedByteCount = 0
    var controlPayload: [UInt8] = []
    var messagePayload: [UInt8] = []
    var frame: FrameHeader?
    var messageKind: Opcode?
    var validator = UTF8Validator()
    var hasFailed = false
    /// Whether there is a ``sentClose``.
    public private(set) var hasSentClose = false
    /// Whether there is a ``receivedClose``.
    public private(set) var hasReceivedClose = false

    /// The kind of the fragmented message that we are sending.
    public internal(set) var sendingKind: Opcode?

    @usableFromInline let hasCompression: Bool
    /// What was negotiated of RFC 7692; `nil`: nothing is compressed, and may not be.
    let compression: SessionCompression?
    /// How much of a compressed message has come, before inflating.
    var compressedByteCount: Int {
        get { compression?.receivedByteCount ?? 0 }
        set { compression?.receivedByteCount = newValue }
    }

    /// - Parameters:
    ///   - messageByteLimit: counts payload bytes, after inflating.
    ///   - compression: what the handshake agreed on.
    public init(
        role: Role, messageByteLimit: Int = 1 << 20, compression: SessionCompression? = nil
    ) {
        self.role = role
        self.messageByteLimit = messageByteLimit
        self.compression = compression?.unused()
        hasCompression = compression != nil
    }

    /// A compressed message may be this much longer on the wire than inflated. Far more than any
    /// that carries something: one sent in pieces of a byte takes eight times its length.
    var compressedByteLimit: Int {
        let (limit, overflow) = messageByteLimit.multipliedReportingOverflow(by: 16)
        return overflow ? .max : max(limit, 65_536)
    }

    /// Whether a frame or a fragmented message has begun and not ended.
    public var isInsideMessage: Bool {
        messageKind != nil || frame != nil || !headerStart.isEmpty
    }
}
