extension Message {
    /// The whole message as one frame, neither masked nor compressed: what a server sends
    /// (RFC 6455 §5.2).
    public var frame: [UInt8] {
        withPayload { FrameHeader(kind.opcode, payloadByteCount: $0.count).bytes($0) }
    }

    /// Appends that frame to bytes, without memory of its own.
    public func appendFrame(to bytes: inout [UInt8]) {
        withPayload { payload in
            let header = FrameHeader(kind.opcode, payloadByteCount: payload.count)
            withUnsafeTemporaryAllocation(
                byteCount: FrameHeader.byteCountLimit, alignment: 1
            ) { start in
                guard let base = start.baseAddress else { return }
                let byteCount = header.write(to: base)
                bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: start[..<byteCount]))
            }
            bytes.append(contentsOf: payload)
        }
    }

    fileprivate func withPayload<Result>(
        _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        switch self {
        case .text(let text): text.utf8Span.span.withUnsafeBytes(body)
        case .binary(let bytes): bytes.withUnsafeBytes(body)
        }
    }
}

extension CompressionPool {
    /// The whole message as one compressed frame that refers to nothing that was sent before
    /// (RFC 7692 §7.2.1), so that it is the same for everyone who agreed on the window.
    ///
    /// - Parameter windowBits: 8…15, as negotiated.
    /// - Returns: `nil` if it would be longer than the message, or zlib got no memory.
    public func frame(of message: Message, windowBits: Int) -> [UInt8]? {
        defer { deflateOutput.trim() }
        return message.withPayload { payload in
            guard let deflater = deflater(windowBits: windowBits, forByteCount: payload.count),
                let compressed = deflater.deflate(payload, isLast: true, into: deflateOutput),
                compressed.count < payload.count
            else { return nil }
            let header = FrameHeader(
                message.kind.opcode, payloadByteCount: compressed.count,
                reservedBits: FrameHeader.compressedBit)
            return header.bytes(compressed)
        }
    }
}
