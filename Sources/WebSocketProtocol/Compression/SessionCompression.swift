/// The part of a ``Session`` that compresses (RFC 7692 §7.2).
///
/// Without context takeover it owns nothing: streams are lent by the pool, the inflater for as long
/// as a message comes in, the deflater for one piece. That a piece may be compressed by a stream
/// that knows nothing of the piece before is because each ends with a sync flush: the next block
/// may begin anew.
///
/// A class, because most sessions have none.
public final class SessionCompression {
    let pool: CompressionPool
    let parameters: DeflateParameters

    /// The message that comes in is compressed, and this inflates it; with context it stays.
    private(set) var inflater: Inflater?
    private(set) var isReceiving = false
    /// How much of a compressed message has come, before inflating.
    var receivedByteCount = 0
    /// What the peer may refer to, while there is no inflater.
    private var history: [UInt8] = []
    /// Ours, if the context is kept.
    private var deflater: Deflater?
    /// The message that goes out piece by piece is compressed.
    var isSending = false
    /// Whether a stream that is kept was used since the last look.
    private var wasUsed = false

    /// - Parameters:
    ///   - parameters: those agreed on.
    ///   - pool: of the thread that the session is used on.
    public init(_ parameters: DeflateParameters, pool: CompressionPool) {
        self.parameters = parameters
        self.pool = pool
    }

    /// One with nothing compressed yet: each session has its own.
    func unused() -> SessionCompression { SessionCompression(parameters, pool: pool) }
}

// MARK: - Receiving

extension SessionCompression {
    func beginReceiving(_ role: Role) throws(ProtocolError) {
        isReceiving = true
        wasUsed = true
        if inflater == nil {
            inflater =
                parameters.inflateKeepsContext(role)
                ? Inflater(windowBits: parameters.inflateWindowBits(role), history: history)
                : pool.takeInflater()
            history = []
        }
        if inflater == nil { throw .compressionUnavailable }
    }

    func endReceiving(_ role: Role) {
        isReceiving = false
        guard !parameters.inflateKeepsContext(role), let inflater else { return }
        pool.giveBack(inflater)
        self.inflater = nil
    }
}

// MARK: - Sending

extension SessionCompression {
    /// Compresses a piece of a message; `nil` if there is no memory for it.
    func deflate(
        _ bytes: UnsafeRawBufferPointer, _ role: Role, isLast: Bool
    ) -> UnsafeRawBufferPointer? {
        wasUsed = true
        let windowBits = parameters.deflateWindowBits(role)
        guard parameters.deflateKeepsContext(role) else {
            return pool.deflater(windowBits: windowBits, forByteCount: bytes.count)?
                .deflate(bytes, isLast: isLast, into: pool.deflateOutput)
        }
        if deflater == nil {
            deflater = Deflater(
                level: pool.settings.level, windowBits: windowBits,
                memoryLevel: pool.settings.memoryLevel)
        }
        return deflater?.deflate(bytes, isLast: isLast, into: pool.deflateOutput)
    }

    /// Whether a message may go out uncompressed after it went through the deflater: not if the
    /// peer's inflater has to follow.
    func maySkip(_ role: Role) -> Bool { !parameters.deflateKeepsContext(role) }

    func releaseIfIdle(_ role: Role) {
        guard !wasUsed else {
            wasUsed = false
            return
        }
        // A new one refers to nothing that was sent before, which is always allowed.
        deflater = nil
        guard !isReceiving, let inflater else { return }
        history = inflater.history()
        self.inflater = nil
    }
}
