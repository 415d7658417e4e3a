/// What was received and not looked at, because an earlier request is still being answered.
struct PipelinedBytes {
    private var bytes: [UInt8] = []
    private var offset = 0

    var isEmpty: Bool { offset == bytes.count }
    var count: Int { bytes.count - offset }

    mutating func append(_ more: Slice<UnsafeMutableRawBufferPointer>) {
        bytes.append(contentsOf: more)
    }

    func withBytes<Value, Failure>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try bytes.withUnsafeBytes { all in
            Result { () throws(Failure) in
                try body(UnsafeRawBufferPointer(rebasing: all[offset...]))
            }
        }.get()
    }

    /// The memory goes when nothing is left.
    mutating func removeFirst(_ byteCount: Int) {
        offset += byteCount
        if isEmpty { self = PipelinedBytes() }
    }

    mutating func takeAll() -> [UInt8] {
        defer { self = PipelinedBytes() }
        return offset == 0 ? bytes : Array(bytes[offset...])
    }
}
