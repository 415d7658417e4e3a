/// Received bytes, and how many of them have been read. The memory is the caller's, and payloads
/// may be unmasked in place.
public struct InputBytes {
    private let bytes: UnsafeMutableRawBufferPointer
    private var position = 0

    public init(_ bytes: UnsafeMutableRawBufferPointer) { self.bytes = bytes }

    public var isEmpty: Bool { position == bytes.count }
    public var remainingByteCount: Int { bytes.count &- position }

    /// The bytes that have not been read yet.
    public var remaining: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[position...])
    }

    mutating func skip(_ byteCount: Int) { position += byteCount }
    public mutating func skipAll() { position = bytes.count }

    mutating func popFirst() -> UInt8? {
        guard position < bytes.count else { return nil }
        defer { position &+= 1 }
        return bytes[position]
    }

    mutating func take(atMost byteCount: Int) -> UnsafeMutableRawBufferPointer {
        let end = position &+ min(byteCount, bytes.count &- position)
        defer { position = end }
        return UnsafeMutableRawBufferPointer(rebasing: bytes[position..<end])
    }
}
