import WebSocketProtocol

/// Bytes that were read but not parsed, because the inbox was full.
struct UnparsedBytes {
    private var bytes: [UInt8] = []
    /// Where the rest begins: before the end, or 0.
    private var offset = 0

    init() {}
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isEmpty: Bool { bytes.isEmpty }
    var count: Int { bytes.count - offset }

    mutating func append(_ more: UnsafeRawBufferPointer) { bytes.append(contentsOf: more) }

    /// - Returns: `nil` if it is empty.
    mutating func takeAll() -> [UInt8]? {
        guard !isEmpty else { return nil }
        defer { self = Self() }
        return offset == 0 ? bytes : Array(bytes[offset...])
    }

    /// Puts bytes that were taken back in front.
    mutating func putBack(_ rest: ArraySlice<UInt8>) {
        guard !rest.isEmpty else { return }
        bytes = Array(rest) + bytes[offset...]
        offset = 0
    }

    /// Gives the bytes to `body`, and keeps what that leaves of them.
    mutating func parse(_ body: (inout InputBytes) -> Void) {
        let restCount = bytes.withUnsafeMutableBytes { buffer in
            var input = InputBytes(.init(rebasing: buffer[offset...]))
            body(&input)
            return input.remainingByteCount
        }
        offset = bytes.count - restCount
        if restCount == 0 { self = Self() }
    }
}
