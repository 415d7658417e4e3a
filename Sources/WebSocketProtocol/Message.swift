/// One whole message (RFC 6455 §5.6): text is valid UTF-8, binary is any bytes.
public enum Message: Sendable, Hashable {
    case text(String)
    case binary([UInt8])

    /// The length of the payload as it travels: UTF-8 bytes for text.
    public var payloadByteCount: Int {
        switch self {
        case .text(let text): text.utf8.count
        case .binary(let bytes): bytes.count
        }
    }
}
