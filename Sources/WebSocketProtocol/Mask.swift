/// RFC 6455 §5.3: byte i of a payload is XORed with byte i mod 4 of the masking key.
public enum Mask {
    /// Masks or unmasks in place.
    ///
    /// - Parameters:
    ///   - bytes: a piece of the payload.
    ///   - key: the four key bytes as they stand in the header, loaded as a little-endian word, so
    ///     that key byte 0 is the lowest.
    ///   - offset: where in the payload the piece begins.
    public static func apply(
        _ key: UInt32, to bytes: UnsafeMutableRawBufferPointer, offset: Int = 0
    ) {
        guard let base = bytes.baseAddress else { return }
        apply(key, to: UnsafeRawBufferPointer(bytes), writingTo: base, offset: offset)
    }

    /// Masks or unmasks while copying, which takes hardly longer than copying alone.
    ///
    /// - Parameters:
    ///   - source: a piece of the payload.
    ///   - destination: as long; does not overlap the source, or is the same memory.
    public static func apply(
        _ key: UInt32, to source: UnsafeRawBufferPointer,
        writingTo destination: UnsafeMutableRawPointer, offset: Int = 0
    ) {
        guard let base = source.baseAddress else { return }
        let rotation = UInt32(truncatingIfNeeded: offset & 3) &* 8
        let rotated = key &>> rotation | key &<< ((32 &- rotation) & 31)
        let wide = UInt64(rotated) << 32 | UInt64(rotated)
        let vector = SIMD2<UInt64>(repeating: wide.littleEndian)
        let count = source.count
        var index = 0
        while index &+ 64 <= count {
            let (from, to) = (base + index, destination + index)
            for step in 0..<4 {
                let word = (from + step &* 16).loadUnaligned(as: SIMD2<UInt64>.self)
                (to + step &* 16).storeBytes(of: word ^ vector, as: SIMD2<UInt64>.self)
            }
            index &+= 64
        }
        while index &+ 8 <= count {
            let word = base.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            destination.storeBytes(
                of: word ^ wide.littleEndian, toByteOffset: index, as: UInt64.self)
            index &+= 8
        }
        while index < count {
            let keyByte = UInt8(truncatingIfNeeded: wide &>> UInt64((index & 7) &* 8))
            let byte = base.load(fromByteOffset: index, as: UInt8.self)
            destination.storeBytes(of: byte ^ keyByte, toByteOffset: index, as: UInt8.self)
            index &+= 1
        }
    }
}
