// Receiving compressed messages (RFC 7692).

extension Session {
    /// The limit of a compressed message counts inflated bytes, as they come. A message that
    /// inflates to nothing has to end too, so the bytes on the wire have a limit of their own.
    mutating func beginCompressed(_ header: FrameHeader) throws(ProtocolError) {
        if header.opcode != .continuation { compressedByteCount = 0 }
        guard header.payloadByteCount <= compressedByteLimit &- compressedByteCount else {
            let total = UInt64(compressedByteCount) + UInt64(header.payloadByteCount)
            throw .messageTooBig(byteCount: total, byteLimit: compressedByteLimit)
        }
        compressedByteCount &+= header.payloadByteCount
    }

    /// Inflates a piece of a compressed message (RFC 7692 §7.2.2), at most up to the limit.
    mutating func readCompressed(
        _ bytes: UnsafeRawBufferPointer, _ frame: FrameHeader, _ isWhole: Bool,
        _ compression: SessionCompression
    ) throws(ProtocolError) -> Event? {
        guard let inflater = compression.inflater else { throw .compressionUnavailable }
        frameReceivedByteCount &+= bytes.count
        let isLast = isWhole && frame.isFinal
        inflater.begin(bytes, isLast: isLast)
        while true {
            let (piece, isEnd) = try inflate(with: inflater, into: compression.pool.inflateOutput)
            try checkLimit(piece)
            if isLast && isEnd && messagePayload.isEmpty && !isPartGone
                && validator.isAtCharacterBoundary
            {
                self.compression?.endReceiving(role)
                return try wholeMessage(piece)
            }
            if messageKind == .text, !validator.accept(piece) { throw .invalidUTF8 }
            messagePayload.append(contentsOf: piece)
            if case .skipped = delivery { _ = nextPiece(isComplete: true) }
            if isEnd { break }
        }
        guard isWhole else { return nil }
        self.frame = nil
        guard frame.isFinal else { return nil }
        self.compression?.endReceiving(role)
        return try finishMessage()
    }

    /// If a message is over the limit, but its text is invalid before the limit, the text is the
    /// error: which error is thrown must not depend on how much was inflated at once.
    private mutating func checkLimit(_ piece: UnsafeRawBufferPointer) throws(ProtocolError) {
        let total = messageByteCount &+ piece.count
        if total <= messageByteLimit { return }
        let within = messageByteLimit &- messageByteCount
        if messageKind == .text, !validator.accept(.init(rebasing: piece[..<within])) {
            throw .invalidUTF8
        }
        throw .messageTooBig(byteCount: UInt64(messageByteLimit) + 1, byteLimit: messageByteLimit)
    }

    /// Inflates until the output is full or the input used up. The bytes before an error are
    /// returned first, and the next call throws the error.
    private func inflate(
        with inflater: Inflater, into output: UnsafeMutableRawBufferPointer
    ) throws(ProtocolError) -> (piece: UnsafeRawBufferPointer, isEnd: Bool) {
        var count = 0
        while count < output.count {
            let room = UnsafeMutableRawBufferPointer(rebasing: output[count...])
            let more: Int
            do throws(ProtocolError) {
                more = try inflater.next(into: room).count
            } catch {
                guard count > 0 else { throw error }
                return (UnsafeRawBufferPointer(rebasing: output[..<count]), false)
            }
            if more == 0 { return (UnsafeRawBufferPointer(rebasing: output[..<count]), true) }
            count &+= more
        }
        return (UnsafeRawBufferPointer(output), false)
    }
}
