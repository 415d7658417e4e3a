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
        if hasSentClose { throw .closeAlreadySent }
        if let sendingKind, sendingKind != kind { throw .kindChangedInsideMessage }
        let opcode = sendingKind == nil ? kind : .continuation
        sendingKind = isFinal ? nil : kind
        compression?.isSending = false
        return FrameHeader(
            opcode, payloadByteCount: payloadByteCount, isFinal: isFinal, maskingKey: maskingKey)
    }

    /// The header of a whole message; `nil` while another one goes out piece by piece.
    public mutating func headerForMessage(
        _ kind: Opcode, payloadByteCount: Int, maskingKey: UInt32? = nil
    ) throws(SendError) -> FrameHeader? {
        if hasSentClose { throw .closeAlreadySent }
        if sendingKind != nil { return nil }
        return FrameHeader(kind, payloadByteCount: payloadByteCount, maskingKey: maskingKey)
    }

    /// Whether the next piece of a message is to go through
    /// ``compressedFrame(_:payload:isFinal:maskingKey:)``: its message is being compressed, or it
    /// begins one that is long enough.
    @inlinable
    public func compresses(_ payloadByteCount: Int) -> Bool {
        hasCompression && compressesPiece(payloadByteCount)
    }

    @usableFromInline
    func compressesPiece(_ payloadByteCount: Int) -> Bool {
        guard let compression else { return false }
        if sendingKind != nil { return compression.isSending }
        return payloadByteCount >= compression.pool.settings.thresholdByteCount
    }

    /// The header and the compressed payload of the next piece of a message (RFC 7692 §7.2.1).
    ///
    /// A whole message that would become longer is sent uncompressed, where that is allowed.
    ///
    /// - Returns: a payload that is valid until the pool is used again, or the given one. The
    ///   caller copies it and then trims the pool's output, or the memory of the longest message
    ///   would stay.
    public mutating func compressedFrame(
        _ kind: Opcode, payload: UnsafeRawBufferPointer, isFinal: Bool = true,
        maskingKey: UInt32? = nil
    ) throws(SendError) -> (header: FrameHeader, payload: UnsafeRawBufferPointer) {
        if hasSentClose { throw .closeAlreadySent }
        if let sendingKind, sendingKind != kind { throw .kindChangedInsideMessage }
        let isFirst = sendingKind == nil
        guard let compressed = compression?.deflate(payload, role, isLast: isFinal) else {
            throw .compressionFailed
        }
        if isFirst && isFinal && compressed.count >= payload.count
            && compression?.maySkip(role) == true
        {
            let header = try headerForData(
                kind, payloadByteCount: payload.count, maskingKey: maskingKey)
            return (header, payload)
        }
        var header = try headerForData(
            kind, payloadByteCount: compressed.count, isFinal: isFinal, maskingKey: maskingKey)
        if isFirst { header.reservedBits = FrameHeader.compressedBit }
        compression?.isSending = !isFinal
        return (header, compressed)
    }

    /// Frees zlib streams that were not used since the last call; the bytes that the peer may still
    /// refer to are kept. For idle connections that keep context.
    public mutating func releaseIdleCompression() { compression?.releaseIfIdle(role) }

    /// The bytes of a Ping or Pong, which may stand between the pieces of a message (§5.5).
    public func frameForControl(
        _ opcode: Opcode, _ payload: [UInt8], maskingKey: UInt32? = nil
    ) throws(SendError) -> [UInt8] {
        if hasSentClose { throw .closeAlreadySent }
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
        if hasSentClose { throw .closeAlreadySent }
        let frame = try close.withPayload { payload in
            FrameHeader(.close, payloadByteCount: payload.count, maskingKey: maskingKey).bytes(
                payload)
        }
        sentClose = close
        return frame
    }

    /// The bytes of a whole message, for clients and tests, for which a copy does not matter.
    public mutating func frame(
        for message: Message, maskingKey: UInt32? = nil
    ) throws(SendError) -> [UInt8] {
        let (kind, payload): (Opcode, [UInt8]) =
            switch message {
            case .text(let text): (.text, Array(text.utf8))
            case .binary(let bytes): (.binary, bytes)
            }
        guard compresses(payload.count) else {
            let header = try headerForData(
                kind, payloadByteCount: payload.count, maskingKey: maskingKey)
            return header.bytes(payload)
        }
        let result = payload.withUnsafeBytes { bytes in
            Result { () throws(SendError) in
                let frame = try compressedFrame(kind, payload: bytes, maskingKey: maskingKey)
                defer { compression?.pool.deflateOutput.trim() }
                return frame.header.bytes(frame.payload)
            }
        }
        return try result.get()
    }
}
