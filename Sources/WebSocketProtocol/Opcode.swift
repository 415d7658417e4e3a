/// The kind of a frame (RFC 6455 §5.2, §11.8). The ten reserved values have no case: a frame with
/// one is a ``ProtocolError/reservedOpcode(_:)``.
public enum Opcode: UInt8, Sendable, Hashable {
    case continuation = 0x0
    case text = 0x1
    case binary = 0x2
    case close = 0x8
    case ping = 0x9
    case pong = 0xA

    /// Close, Ping and Pong: never fragmented, at most 125 bytes (RFC 6455 §5.5).
    @inlinable public var isControl: Bool { rawValue & 0x8 != 0 }
}

/// Which end of the connection this is. A client masks what it sends, a server does not, and each
/// checks that the other obeys this (RFC 6455 §5.1).
public enum Role: Sendable, Hashable {
    case server
    case client
}
