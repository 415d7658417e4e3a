extension Fields {
    /// Where the parts of a line are among the bytes: behind a number that has the lengths of both,
    /// the name's in its lower half.
    struct Line {
        private static let lengthsByteCount = MemoryLayout<UInt64>.size

        private let nameStart: Int
        private let nameByteCount: Int
        private let valueByteCount: Int

        /// - Returns: `nil` at the end.
        init?(at start: Int, in bytes: Span<UInt8>) {
            guard start < bytes.count else { return nil }
            let lengths = bytes.bytes.unsafeLoadUnaligned(fromByteOffset: start, as: UInt64.self)
            nameStart = start &+ Self.lengthsByteCount
            nameByteCount = Int(lengths & UInt64(UInt32.max))
            valueByteCount = Int(lengths >> 32)
        }

        var name: Range<Int> { nameStart..<(nameStart &+ nameByteCount) }
        var value: Range<Int> { (nameStart &+ nameByteCount)..<end }
        var end: Int { nameStart &+ nameByteCount &+ valueByteCount }

        /// Whether the line has that name, in any case.
        func isNamed(_ name: Span<UInt8>, in bytes: Span<UInt8>) -> Bool {
            nameByteCount == name.count && bytes.extracting(self.name).equalsIgnoringCase(name)
        }
    }
}

// MARK: - Writing

extension Fields.Line {
    /// What a line takes.
    static func byteCount(_ name: Span<UInt8>, _ value: Span<UInt8>) -> Int {
        lengthsByteCount + name.count + value.count
    }

    /// - Parameter output: `byteCount` bytes at least.
    @inline(__always)
    static func write(
        _ name: Span<UInt8>, _ value: Span<UInt8>, to output: UnsafeMutableRawBufferPointer
    ) {
        // Looked at here: in release mode a buffer does not look.
        precondition(output.count >= byteCount(name, value), "the line does not fit")
        guard let start = output.baseAddress else { return }
        let lengths = UInt64(UInt32(name.count)) | UInt64(UInt32(value.count)) << 32
        start.storeBytes(of: lengths, as: UInt64.self)
        copy(name, to: start + lengthsByteCount)
        copy(value, to: start + lengthsByteCount + name.count)
    }

    private static func copy(_ bytes: Span<UInt8>, to place: UnsafeMutableRawPointer) {
        bytes.withUnsafeBytes { bytes in
            if let source = bytes.baseAddress {
                place.copyMemory(from: source, byteCount: bytes.count)
            }
        }
    }
}
