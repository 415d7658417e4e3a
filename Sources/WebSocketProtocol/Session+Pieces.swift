// Receiving a message in pieces, as they come.

// delivery     what happens                                     next
// whole        pieces are asked for                             inPieces
// inPieces     the message's last piece was given; it came
//              whole; they are not asked for any more           whole
//              the rest is not wanted                           skipped
// skipped      the message has ended                            whole, or inPieces if those were
//                                                               asked for meanwhile

extension Session {
    /// How the message that is coming, or the next one, is given.
    enum Delivery: Sendable {
        /// As an event, once it is complete.
        case whole
        /// As it comes; whole if it came so.
        case inPieces
        /// Checked, and not given.
        case skipped(nextInPieces: Bool)
    }

    /// A part of a message.
    public struct Piece: Sendable, Hashable {
        public let kind: Message.Kind
        /// Empty only if the message's end came after all of its bytes.
        public let bytes: [UInt8]
        public let isLast: Bool
    }

    /// 64 KiB: a piece is no longer, but one that had come before pieces were asked for, and what
    /// one more KiB of compressed data inflates to.
    static let pieceByteLimit = 65_536
    /// 1 KiB of compressed data is inflated at a time: to 1 MiB at most.
    static let compressedStepByteLimit = 1_024

    /// Gives the message that is coming, or the next one, in pieces. The ones after it are whole
    /// again.
    ///
    /// - Returns: what has come of it already.
    public mutating func receiveInPieces() -> Piece? {
        if case .skipped = delivery {
            delivery = .skipped(nextInPieces: true)
            return nil
        }
        delivery = .inPieces
        return messagePayload.isEmpty ? nil : takePiece(isLast: false)
    }

    /// Gives messages as a whole again, after ``receiveInPieces()``, if no piece was given yet.
    public mutating func receiveWhole() {
        switch delivery {
        case .skipped: delivery = .skipped(nextInPieces: false)
        case .inPieces where givenByteCount == 0: delivery = .whole
        case .whole, .inPieces: break
        }
    }

    /// Drops the rest of the message of which pieces were given. Its bytes are checked and counted
    /// as before.
    public mutating func skipRest() {
        if case .inPieces = delivery, givenByteCount > 0 {
            delivery = .skipped(nextInPieces: false)
        }
    }

    @inline(__always)
    var isDeliveryWhole: Bool { if case .whole = delivery { true } else { false } }

    /// Whether a part of the message that is coming was given, or will not be.
    @inline(__always)
    var isPartGone: Bool {
        switch delivery {
        case .whole: false
        case .inPieces: givenByteCount > 0
        case .skipped: true
        }
    }

    /// How much of the message has come.
    @inline(__always)
    var messageByteCount: Int { messagePayload.count &+ (isDeliveryWhole ? 0 : givenByteCount) }

    /// How much of a frame's payload is looked at next.
    @inline(never)
    func stepByteCount(_ missing: Int, _ frame: FrameHeader) -> Int {
        guard case .inPieces = delivery, !frame.opcode.isControl else { return missing }
        let isCompressed = compression?.isReceiving == true
        return min(missing, isCompressed ? Self.compressedStepByteLimit : Self.pieceByteLimit)
    }

    /// The piece of what was kept, when a part of a frame was read.
    ///
    /// - Parameter isComplete: what could make it longer has not come, or is of another frame.
    @inline(never)
    mutating func nextPiece(isComplete: Bool) -> Event? {
        switch delivery {
        case .whole: return nil
        case .skipped:
            givenByteCount &+= messagePayload.count
            messagePayload = []
            return nil
        case .inPieces:
            guard !messagePayload.isEmpty else { return nil }
            guard isComplete || messagePayload.count >= Self.pieceByteLimit else { return nil }
            return .piece(takePiece(isLast: false))
        }
    }

    /// The last piece of a message that has ended.
    ///
    /// - Returns: `nil` if it was skipped.
    @inline(never)
    mutating func lastPiece() throws(ProtocolError) -> Event? {
        guard validator.isAtCharacterBoundary else { throw .invalidUTF8 }
        let piece = takePiece(isLast: true)
        validator = UTF8Validator()
        messageKind = nil
        givenByteCount = 0
        if case .skipped(let nextInPieces) = delivery {
            delivery = nextInPieces ? .inPieces : .whole
            return nil
        }
        delivery = .whole
        return .piece(piece)
    }

    private mutating func takePiece(isLast: Bool) -> Piece {
        let kind: Message.Kind = messageKind == .text ? .text : .binary
        let bytes = messagePayload
        messagePayload = []
        givenByteCount &+= bytes.count
        return Piece(kind: kind, bytes: bytes, isLast: isLast)
    }
}
