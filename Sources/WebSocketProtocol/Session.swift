/// One end of an established connection: bytes go in, events come out (RFC 6455 §5 to §7).
///
/// A value without I/O or clock. The caller feeds it what it read and sends the frames it is told to;
/// the rules of what may follow what are here, for both roles, so that server, client and tests obey
/// the same ones. Between messages it owns no memory beside itself.
public struct Session: Sendable {
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
    public private(set) var receivedClose: Close?
    /// Our Close, once a frame for it was made. Nothing may be sent after it.
    public private(set) var sentClose: Close?

    /// Told of each header that is one, before it is held against the message it belongs to: for logs
    /// that show every frame.
    public var frameObserver: (@Sendable (FrameHeader) -> Void)?

    // What of a frame or message came so far.
    private var headerStart: [UInt8] = []
    private var frame: FrameHeader?
    private var frameReceivedByteCount = 0
    private var controlPayload: [UInt8] = []
    private var messageKind: Opcode?
    private var messagePayload: [UInt8] = []
    private var validator = UTF8Validator()
    private var hasFailed = false

    /// The kind of the fragmented message that we are sending.
    private var sendingKind: Opcode?

    public init(role: Role, messageByteLimit: Int = 1 << 20) {
        self.role = role
        self.messageByteLimit = messageByteLimit
    }

    /// Whether a frame or a fragmented message has begun and not ended.
    public var isInsideMessage: Bool {
        messageKind != nil || frame != nil || !headerStart.isEmpty
    }
}

// MARK: - Receiving

extension Session {
    /// Reads on in `input` until something has arrived whole.
    ///
    /// Payloads are unmasked in place. What is left of an incomplete frame is taken into the session,
    /// so after `nil` the input may be overwritten.
    ///
    /// - Returns: the next event; `nil` when the input is used up.
    /// - Throws: the peer's fault. The session is dead then, and drops what follows.
    public mutating func nextEvent(
        from input: inout InputBytes
    ) throws(ProtocolError) -> Event? {
        if hasFailed || receivedClose != nil {
            input.skipAll()
            return nil
        }
        do throws(ProtocolError) {
            while true {
                if frame == nil {
                    guard try readHeader(from: &input) else { return nil }
                }
                if let event = try readPayload(from: &input) { return event }
                if frame != nil { return nil }
            }
        } catch {
            fail()
            throw error
        }
    }

    private mutating func fail() {
        hasFailed = true
        headerStart = []
        controlPayload = []
        messagePayload = []
    }

    /// Takes the next header; returns false when the input ended first.
    private mutating func readHeader(from input: inout InputBytes) throws(ProtocolError) -> Bool {
        if headerStart.isEmpty {
            if let (header, byteCount) = try FrameHeader.parse(input.remaining, role: role) {
                input.skip(byteCount)
                try begin(header)
                return true
            }
            headerStart.append(contentsOf: input.remaining)
            input.skipAll()
            return false
        }
        while let byte = input.popFirst() {
            headerStart.append(byte)
            if let (header, _) = try parseHeaderStart() {
                headerStart = []
                try begin(header)
                return true
            }
        }
        return false
    }

    private func parseHeaderStart() throws(ProtocolError) -> (header: FrameHeader, byteCount: Int)? {
        // A typed error does not pass through `withUnsafeBytes`, so it travels as a value.
        let parsed = headerStart.withUnsafeBytes { bytes in
            Result { () throws(ProtocolError) in try FrameHeader.parse(bytes, role: role) }
        }
        return try parsed.get()
    }

    /// Checks a header against the message it belongs to, before any of its payload is kept.
    private mutating func begin(_ header: FrameHeader) throws(ProtocolError) {
        frame = header
        frameReceivedByteCount = 0
        frameObserver?(header)
        if header.opcode.isControl { return }
        if header.opcode == .continuation {
            guard messageKind != nil else { throw .unexpectedContinuation }
        } else if messageKind != nil {
            throw .expectedContinuation(header.opcode)
        } else {
            messageKind = header.opcode
        }
        if header.payloadByteCount > messageByteLimit &- messagePayload.count {
            let total = UInt64(messagePayload.count) + UInt64(header.payloadByteCount)
            throw .messageTooBig(byteCount: total, byteLimit: messageByteLimit)
        }
    }

    /// Takes what there is of the frame's payload; an event if that completed one.
    private mutating func readPayload(
        from input: inout InputBytes
    ) throws(ProtocolError) -> Event? {
        guard let frame else { return nil }
        let missing = frame.payloadByteCount &- frameReceivedByteCount
        let piece = input.take(atMost: missing)
        // A header alone takes no memory: the payload may come whole with the next read.
        if piece.isEmpty && missing > 0 { return nil }
        if let key = frame.maskingKey {
            Mask.apply(key, to: piece, offset: frameReceivedByteCount)
        }
        let isWhole = piece.count == missing
        let bytes = UnsafeRawBufferPointer(piece)
        if frame.opcode.isControl {
            return try readControl(bytes, frame, isWhole)
        }
        if isWhole && frame.isFinal && messagePayload.isEmpty && frameReceivedByteCount == 0
            && validator.isAtCharacterBoundary
        {
            return try wholeMessage(bytes)
        }
        return try readDataPiece(bytes, frame, isWhole)
    }

    /// The fast path: a message that lies complete in the input.
    private mutating func wholeMessage(
        _ bytes: UnsafeRawBufferPointer
    ) throws(ProtocolError) -> Event {
        let kind = messageKind
        messageKind = nil
        frame = nil
        return .message(try Self.message(kind, bytes))
    }

    private static func message(
        _ kind: Opcode?, _ bytes: UnsafeRawBufferPointer
    ) throws(ProtocolError) -> Message {
        guard kind == .text else { return .binary([UInt8](bytes)) }
        var validator = UTF8Validator()
        guard validator.accept(bytes), validator.isAtCharacterBoundary else { throw .invalidUTF8 }
        // Not `String(validating:as:)`: it is generic, and looks its types up for every message.
        return .text(
            String(unsafeUninitializedCapacity: bytes.count) { buffer in
                UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
                return bytes.count
            })
    }

    private mutating func readDataPiece(
        _ bytes: UnsafeRawBufferPointer, _ frame: FrameHeader, _ isWhole: Bool
    ) throws(ProtocolError) -> Event? {
        if messageKind == .text, !validator.accept(bytes) { throw .invalidUTF8 }
        if messagePayload.isEmpty {
            // Room for what is announced, but a claim alone may cost no more than 64 KiB.
            messagePayload.reserveCapacity(min(frame.payloadByteCount, 65_536))
        }
        messagePayload.append(contentsOf: bytes)
        frameReceivedByteCount &+= bytes.count
        guard isWhole else { return nil }
        self.frame = nil
        guard frame.isFinal else { return nil }
        return .message(try finishMessage())
    }

    private mutating func finishMessage() throws(ProtocolError) -> Message {
        guard validator.isAtCharacterBoundary else { throw .invalidUTF8 }
        let kind = messageKind
        messageKind = nil
        let payload = messagePayload
        messagePayload = []
        return kind == .text ? .text(String(decoding: payload, as: UTF8.self)) : .binary(payload)
    }

    private mutating func readControl(
        _ bytes: UnsafeRawBufferPointer, _ frame: FrameHeader, _ isWhole: Bool
    ) throws(ProtocolError) -> Event? {
        frameReceivedByteCount &+= bytes.count
        controlPayload.append(contentsOf: bytes)
        guard isWhole else { return nil }
        let payload = controlPayload
        controlPayload = []
        self.frame = nil
        switch frame.opcode {
        case .ping: return .ping(payload)
        case .pong: return .pong(payload)
        default:
            let parsed = payload.withUnsafeBytes { bytes in
                Result { () throws(ProtocolError) in try Close.parse(bytes) }
            }
            let close = try parsed.get()
            receivedClose = close
            return .close(close)
        }
    }
}

// MARK: - Sending

extension Session {
    /// The header for the next piece of a message.
    ///
    /// - Parameters:
    ///   - kind: `.text` or `.binary`; the same for every piece of one message.
    ///   - isFinal: false if more pieces of this message follow (§5.4).
    ///   - maskingKey: fresh and random for a client (§5.3), `nil` for a server.
    public mutating func headerForData(
        _ kind: Opcode, payloadByteCount: Int, isFinal: Bool = true, maskingKey: UInt32? = nil
    ) throws(SendError) -> FrameHeader {
        if sentClose != nil { throw .closeAlreadySent }
        if let sendingKind, sendingKind != kind { throw .kindChangedInsideMessage }
        let opcode = sendingKind == nil ? kind : .continuation
        sendingKind = isFinal ? nil : kind
        return FrameHeader(
            opcode, payloadByteCount: payloadByteCount, isFinal: isFinal, maskingKey: maskingKey)
    }

    /// The bytes of a Ping or Pong, which may stand between the pieces of a message (§5.5).
    public func frameForControl(
        _ opcode: Opcode, _ payload: [UInt8], maskingKey: UInt32? = nil
    ) throws(SendError) -> [UInt8] {
        if sentClose != nil { throw .closeAlreadySent }
        guard payload.count <= FrameHeader.controlPayloadByteLimit else {
            throw .controlPayloadTooLong(byteCount: payload.count)
        }
        return FrameHeader(opcode, payloadByteCount: payload.count, maskingKey: maskingKey)
            .bytes(payload)
    }

    /// The bytes of our Close frame, after which nothing is sent (§5.5.1).
    public mutating func frameForClose(
        _ close: Close, maskingKey: UInt32? = nil
    ) throws(SendError) -> [UInt8] {
        if sentClose != nil { throw .closeAlreadySent }
        let payload = try close.payload()
        sentClose = close
        return FrameHeader(.close, payloadByteCount: payload.count, maskingKey: maskingKey)
            .bytes(payload)
    }

    /// The bytes of a whole message; for clients and tests, which need not avoid the copy.
    public mutating func frame(
        for message: Message, maskingKey: UInt32? = nil
    ) throws(SendError) -> [UInt8] {
        switch message {
        case .text(let text):
            return try headerForData(
                .text, payloadByteCount: text.utf8.count, maskingKey: maskingKey
            ).bytes(text.utf8)
        case .binary(let bytes):
            return try headerForData(
                .binary, payloadByteCount: bytes.count, maskingKey: maskingKey
            ).bytes(bytes)
        }
    }
}
