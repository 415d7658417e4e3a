/// The ways in which a peer can break RFC 6455 or RFC 7692 after the handshake. Each has the close
/// code with which the connection is failed (RFC 6455 §7.1.7).
public enum ProtocolError: Error, Sendable, Hashable, CustomStringConvertible {
    case reservedBits(UInt8)
    case reservedOpcode(UInt8)
    case fragmentedControlFrame(Opcode)
    case controlFrameTooLong(byteCount: UInt64)
    case lengthNotMinimal(byteCount: UInt64)
    case lengthOverflow
    case unmaskedFrame
    case maskedFrame
    case unexpectedContinuation
    case expectedContinuation(Opcode)
    case invalidUTF8
    case closePayloadTooShort
    case invalidCloseCode(UInt16)
    case messageTooBig(byteCount: UInt64, byteLimit: Int)
    case invalidCompressedData
    /// Not the peer's error: there is no memory to inflate with.
    case compressionUnavailable
    /// Nor this: all messages that are coming take more memory together than they may.
    case noRoomForMessage(byteLimit: Int)

    /// The code of our Close frame (RFC 6455 §7.4.1).
    public var closeCode: CloseCode {
        switch self {
        case .invalidUTF8, .invalidCompressedData: .invalidFramePayloadData
        case .messageTooBig: .messageTooBig
        case .compressionUnavailable: .internalError
        case .noRoomForMessage: .tryAgainLater
        default: .protocolError
        }
    }

    public var description: String {
        switch self {
        case .reservedBits(let bits):
            "reserved bits \(bits) set without an extension that defines them"
        case .reservedOpcode(let opcode):
            "reserved opcode \(opcode)"
        case .fragmentedControlFrame(let opcode):
            "fragmented \(opcode) frame"
        case .controlFrameTooLong(let byteCount):
            "control frame of \(byteCount) bytes, over the limit of 125"
        case .lengthNotMinimal(let byteCount):
            "length \(byteCount) not in its shortest form"
        case .lengthOverflow:
            "length with the top bit set"
        case .unmaskedFrame:
            "frame from a client without a mask"
        case .maskedFrame:
            "frame from a server with a mask"
        case .unexpectedContinuation:
            "continuation without a message to continue"
        case .expectedContinuation(let opcode):
            "\(opcode) frame inside a fragmented message"
        case .invalidUTF8:
            "text that is not UTF-8"
        case .closePayloadTooShort:
            "Close frame with a body of one byte"
        case .invalidCloseCode(let code):
            "close code \(code) may not be sent"
        case .messageTooBig(let byteCount, let byteLimit):
            "message of \(byteCount) bytes, over the limit of \(byteLimit)"
        case .invalidCompressedData:
            "compressed data that cannot be inflated"
        case .compressionUnavailable:
            "zlib has no memory to inflate with"
        case .noRoomForMessage(let byteLimit):
            "unfinished messages of all connections have more than \(byteLimit) bytes"
        }
    }
}

/// What our own side may not send. The connection stays as it is.
public enum SendError: Error, Sendable, Hashable, CustomStringConvertible {
    case closeAlreadySent
    case kindChangedInsideMessage
    case controlPayloadTooLong(byteCount: Int)
    case closeReasonWithoutCode
    case closeReasonTooLong(byteCount: Int)
    case closeCodeNotSendable(CloseCode)
    case compressionFailed
    case invalidUTF8

    public var description: String {
        switch self {
        case .closeAlreadySent:
            "nothing may follow the Close frame that was sent"
        case .kindChangedInsideMessage:
            "a fragmented message is either text or binary, not both"
        case .controlPayloadTooLong(let byteCount):
            "a control frame carries at most 125 bytes, not \(byteCount)"
        case .closeReasonWithoutCode:
            "a close reason needs a close code"
        case .closeReasonTooLong(let byteCount):
            "a close reason has at most \(Close.reasonByteLimit) bytes, not \(byteCount)"
        case .closeCodeNotSendable(let code):
            "close code \(code) may not be sent"
        case .compressionFailed:
            "zlib has no memory to compress with"
        case .invalidUTF8:
            "a text message has to be UTF-8, and what was to be sent is not"
        }
    }
}
