extension Session {
    /// Reads `input` until an event is complete.
    ///
    /// Payloads are unmasked in place, or while they are copied into the message. The bytes of an
    /// incomplete frame are copied into the session, so after `nil` the input may be overwritten.
    ///
    /// - Returns: the next event; `nil` when the input is used up.
    /// - Throws: the peer's error. After that the session drops all input.
    public mutating func nextEvent(
        from input: inout InputBytes
    ) throws(ProtocolError) -> Event? {
        if hasFailed || hasReceivedClose {
            input.skipAll()
            return nil
        }
        do throws(ProtocolError) {
            if let message = try readWholeMessage(from: &input) { return .message(message) }
            while true {
                if frame == nil {
                    guard try readHeader(from: &input) else { return nil }
                }
                if let event = try readPayload(from: &input) { return event }
                if frame != nil && input.isEmpty { return nil }
            }
        } catch {
            fail()
            throw error
        }
    }

    /// The common case in one step: a message of one frame, not compressed, that lies complete in
    /// the input.
    ///
    /// - Returns: `nil` for any other case, with nothing taken from the input.
    private func readWholeMessage(
        from input: inout InputBytes
    ) throws(ProtocolError) -> Message? {
        guard frame == nil, messageKind == nil, headerStart.isEmpty, !hasCompression,
            let (header, headerByteCount) = try FrameHeader.parse(input.remaining, role: role),
            header.isFinal, header.opcode == .text || header.opcode == .binary,
            header.payloadByteCount <= messageByteLimit,
            header.payloadByteCount <= input.remainingByteCount &- headerByteCount
        else { return nil }
        frameObserver?(header)
        input.skip(headerByteCount)
        let payload = input.take(atMost: header.payloadByteCount)
        guard let key = header.maskingKey else {
            return try Self.message(header.opcode, UnsafeRawBufferPointer(payload))
        }
        if header.opcode == .binary {
            var copy: [UInt8] = []
            copy.append(unmasking: UnsafeRawBufferPointer(payload), key)
            return .binary(copy)
        }
        Mask.apply(key, to: payload)
        return try Self.message(header.opcode, UnsafeRawBufferPointer(payload))
    }

    /// Gives the memory of a message that will never be complete back. All input is dropped from
    /// now on.
    public mutating func dropUnfinished() {
        if !messagePayload.isEmpty { fail() }
    }

    private mutating func fail() {
        hasFailed = true
        frame = nil
        messageKind = nil
        headerStart = []
        controlPayload = []
        messagePayload = []
        compression?.endReceiving(role)
    }

    /// Takes the next header; returns false when the input ended first.
    private mutating func readHeader(from input: inout InputBytes) throws(ProtocolError) -> Bool {
        if headerStart.isEmpty {
            guard !input.remaining.isEmpty else { return false }
            if let (header, byteCount) = try FrameHeader.parse(
                input.remaining, role: role, allowsCompression: compression != nil)
            {
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

    private func parseHeaderStart() throws(ProtocolError) -> (header: FrameHeader, byteCount: Int)?
    {
        // A typed error does not pass through `withUnsafeBytes`, so it travels as a value.
        let parsed = headerStart.withUnsafeBytes { bytes in
            Result { () throws(ProtocolError) in
                try FrameHeader.parse(bytes, role: role, allowsCompression: compression != nil)
            }
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
            if header.reservedBits != 0 { try compression?.beginReceiving(role) }
        }
        if compression?.isReceiving == true { return try beginCompressed(header) }
        if header.payloadByteCount > messageByteLimit &- messageByteCount {
            let total = UInt64(messageByteCount) + UInt64(header.payloadByteCount)
            throw .messageTooBig(byteCount: total, byteLimit: messageByteLimit)
        }
    }

    /// Takes what there is of the frame's payload; an event if that completed one.
    private mutating func readPayload(
        from input: inout InputBytes
    ) throws(ProtocolError) -> Event? {
        guard let frame else { return nil }
        let missing = frame.payloadByteCount &- frameReceivedByteCount
        let piece = input.take(atMost: isDeliveryWhole ? missing : stepByteCount(missing, frame))
        // A header alone takes no memory: the payload may come whole with the next read.
        if piece.isEmpty && missing > 0 { return nil }
        let isWhole = piece.count == missing
        let isCompressed = compression?.isReceiving == true
        let isMessage =
            isWhole && frame.isFinal && messagePayload.isEmpty && frameReceivedByteCount == 0
            && !isPartGone
        if !frame.opcode.isControl && !isCompressed
            && !(isMessage && validator.isAtCharacterBoundary)
        {
            return try readDataPiece(UnsafeRawBufferPointer(piece), frame, isWhole)
        }
        if let key = frame.maskingKey {
            Mask.apply(key, to: piece, offset: frameReceivedByteCount)
        }
        let bytes = UnsafeRawBufferPointer(piece)
        if frame.opcode.isControl { return try readControl(bytes, frame, isWhole) }
        if let compression, isCompressed {
            let event = try readCompressed(bytes, frame, isWhole, compression)
            if isDeliveryWhole || event != nil { return event }
            return nextPiece(isComplete: input.isEmpty || self.frame == nil)
        }
        return try wholeMessage(bytes)
    }

    /// The event for a message whose payload lies complete in the input.
    mutating func wholeMessage(
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
        return .text(text(bytes, isASCII: validator.isASCII))
    }

    /// A text from bytes that have been validated. Other initialisers would validate them again.
    private static func text(_ bytes: UnsafeRawBufferPointer, isASCII: Bool) -> String {
        let bytes = bytes.assumingMemoryBound(to: UInt8.self).span
        return String(copying: UTF8Span(unchecked: bytes, isKnownASCII: isASCII))
    }

    /// Appends a part of a message to the earlier parts, and unmasks it meanwhile.
    private mutating func readDataPiece(
        _ piece: UnsafeRawBufferPointer, _ frame: FrameHeader, _ isWhole: Bool
    ) throws(ProtocolError) -> Event? {
        let start = messagePayload.count
        if messagePayload.capacity &- start < piece.count && isDeliveryWhole {
            reserve(frame.payloadByteCount &- frameReceivedByteCount, having: piece.count)
        }
        if let key = frame.maskingKey {
            messagePayload.append(unmasking: piece, key, offset: frameReceivedByteCount)
        } else {
            messagePayload.append(contentsOf: piece)
        }
        if messageKind == .text, !validator.accept(messagePayload, from: start) {
            throw .invalidUTF8
        }
        frameReceivedByteCount &+= piece.count
        if isWhole {
            self.frame = nil
            if frame.isFinal { return try finishMessage() }
        }
        return isDeliveryWhole ? nil : nextPiece(isComplete: true)
    }

    /// Reserves memory for the announced length, so that a long message does not move each time it
    /// has doubled. An announcement alone may cost at most 64 KiB, and one that was kept in part
    /// four times that part.
    private mutating func reserve(_ announcedByteCount: Int, having byteCount: Int) {
        let received = messagePayload.count &+ byteCount
        let wanted = messagePayload.count &+ min(announcedByteCount, max(65_536, 4 &* received))
        // At least twice: else each small frame would move the message.
        messagePayload.reserveCapacity(
            max(wanted, min(2 &* messagePayload.capacity, messageByteLimit)))
    }

    /// - Returns: `nil` for a message that was skipped.
    mutating func finishMessage() throws(ProtocolError) -> Event? {
        if isPartGone { return try lastPiece() }
        guard validator.isAtCharacterBoundary else { throw .invalidUTF8 }
        let isASCII = validator.isASCII
        validator = UTF8Validator()
        let kind = messageKind
        messageKind = nil
        let payload = messagePayload
        messagePayload = []
        guard kind == .text else { return .message(.binary(payload)) }
        return .message(.text(payload.withUnsafeBytes { Self.text($0, isASCII: isASCII) }))
    }

    private mutating func readControl(
        _ bytes: UnsafeRawBufferPointer, _ frame: FrameHeader, _ isWhole: Bool
    ) throws(ProtocolError) -> Event? {
        if isWhole && controlPayload.isEmpty { return try finishControl(frame.opcode, bytes) }
        frameReceivedByteCount &+= bytes.count
        controlPayload.append(contentsOf: bytes)
        guard isWhole else { return nil }
        let payload = controlPayload
        controlPayload = []
        let finished = payload.withUnsafeBytes { bytes in
            Result { () throws(ProtocolError) in try finishControl(frame.opcode, bytes) }
        }
        return try finished.get()
    }

    private mutating func finishControl(
        _ opcode: Opcode, _ payload: UnsafeRawBufferPointer
    ) throws(ProtocolError) -> Event {
        frame = nil
        switch opcode {
        case .ping: return .ping([UInt8](payload))
        case .pong: return .pong([UInt8](payload))
        default:
            let close = try Close.parse(payload)
            receivedClose = close
            return .close(close)
        }
    }
}

extension [UInt8] {
    /// Appends a masked piece of a payload, and unmasks it while it is copied.
    fileprivate mutating func append(
        unmasking piece: UnsafeRawBufferPointer, _ key: UInt32, offset: Int = 0
    ) {
        // Without a byte the array's memory may be the one that all empty arrays have, and writing
        // the count there would be a race.
        guard !piece.isEmpty else { return }
        append(addingCapacity: piece.count) { output in
            output.withUnsafeMutableBufferPointer { room, count in
                guard let start = room.baseAddress else { return }
                Mask.apply(
                    key, to: piece, writingTo: UnsafeMutableRawPointer(start), offset: offset)
                count = piece.count
            }
        }
    }
}
