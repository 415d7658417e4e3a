/// The compression of a ``Session`` (RFC 7692 §7.2).
///
/// Without context takeover it owns nothing: the pool lends an inflater for each incoming message
/// and a deflater for each outgoing piece. Any stream may compress the next piece, because each
/// piece ends with a sync flush and the next block refers to nothing.
///
/// A class, because most sessions have none.
public final class SessionCompression {
    let pool: CompressionPool
    let parameters: DeflateParameters

    /// Inflates the message that is arriving, if it is compressed; with context it is kept.
    private(set) var inflater: Inflater?
    private(set) var isReceiving = false
    /// How much of a compressed message has arrived, before inflating.
    var receivedByteCount = 0
    /// The bytes that the peer may refer to, while there is no inflater.
    private var history: [UInt8] = []
    /// The deflater, if the context is kept.
    private var deflater: Deflater?
    /// Whether the message that is being sent piece by piece is compressed.
    var isSending = false
    /// Whether a stream was used since the last ``releaseIfIdle(_:)``.
    private var wasUsed = false

    /// - Parameters:
    ///   - parameters: the negotiated ones.
    ///   - pool: the pool of the session's thread.
    public init(_ parameters: DeflateParameters, pool: CompressionPool) {
        self.parameters = parameters
        self.pool = pool
    }

    /// A new one with the same parameters: each session has its own.
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

    /// Whether a message may be sent uncompressed after the deflater has seen it: not if the peer's
    /// inflater has to see it too.
    func maySkip(_ role: Role) -> Bool { !parameters.deflateKeepsContext(role) }

    func releaseIfIdle(_ role: Role) {
        guard !wasUsed else {
            wasUsed = false
            return
        }
        // A new deflater refers to no earlier message, which is always allowed.
        deflater = nil
        guard !isReceiving, let inflater else { return }
        history = inflater.history()
        self.inflater = nil
    }
}
