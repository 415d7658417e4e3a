/// The 2 to 14 bytes before a payload (RFC 6455 §5.2).
public struct FrameHeader: Sendable, Hashable, CustomStringConvertible {
    public var payloadByteCount: Int
    /// The four key bytes in the order of the wire, loaded little-endian; `nil`: not masked.
    public var maskingKey: UInt32?
    public var isFinal: Bool
    /// RSV1, RSV2, RSV3 as a number of three bits, RSV1 the highest.
    public var reservedBits: UInt8
    public var opcode: Opcode

    /// 14: two bytes, eight of length, four of mask.
    public static let byteCountLimit = 14
    /// 125: RFC 6455 §5.5.
    public static let controlPayloadByteLimit = 125
    /// RSV1, which marks the first frame of a compressed message (RFC 7692 §6).
    public static let compressedBit: UInt8 = 4

    public init(
        _ opcode: Opcode, payloadByteCount: Int, isFinal: Bool = true, reservedBits: UInt8 = 0,
        maskingKey: UInt32? = nil
    ) {
        self.isFinal = isFinal
        self.reservedBits = reservedBits
        self.opcode = opcode
        self.payloadByteCount = payloadByteCount
        self.maskingKey = maskingKey
    }

    /// `text frame, final, compressed, masked, 5 bytes`
    public var description: String {
        var text = "\(opcode) frame"
        if isFinal { text += ", final" }
        if reservedBits == Self.compressedBit { text += ", compressed" }
        if maskingKey != nil { text += ", masked" }
        return text + ", \(payloadByteCount) bytes"
    }

    /// How many bytes ``write(to:)`` writes.
    public var byteCount: Int {
        let length = payloadByteCount <= 125 ? 0 : payloadByteCount <= 0xFFFF ? 2 : 8
        return 2 &+ length &+ (maskingKey == nil ? 0 : 4)
    }

    /// Reads a header from the start of `bytes`.
    ///
    /// Errors in the first two bytes are thrown before the other bytes have arrived.
    ///
    /// - Parameters:
    ///   - role: ours; it decides whether the frame must be masked.
    ///   - allowsCompression: whether RSV1 may mark a compressed message.
    /// - Returns: the header and its length, or `nil` if it is incomplete.
    static func parse(
        _ bytes: UnsafeRawBufferPointer, role: Role, allowsCompression: Bool = false
    ) throws(ProtocolError) -> (header: FrameHeader, byteCount: Int)? {
        guard bytes.count >= 2, let base = bytes.baseAddress else { return nil }
        let first = base.load(as: UInt8.self)
        let second = base.load(fromByteOffset: 1, as: UInt8.self)
        let reservedBits = first >> 4 & 0x7
        if reservedBits != 0 && !(allowsCompression && mayBeCompressed(first)) {
            throw .reservedBits(reservedBits)
        }
        guard let opcode = Opcode(rawValue: first & 0xF) else {
            throw .reservedOpcode(first & 0xF)
        }
        let isFinal = first & 0x80 != 0
        let isMasked = second & 0x80 != 0
        let short = Int(second & 0x7F)
        if opcode.isControl {
            if !isFinal { throw .fragmentedControlFrame(opcode) }
            if short > 125 { throw .controlFrameTooLong(byteCount: UInt64(short)) }
        }
        // §5.1: "The server MUST close the connection upon receiving a frame that is not masked."
        if isMasked != (role == .server) {
            throw role == .server ? .unmaskedFrame : .maskedFrame
        }
        guard let (payloadByteCount, lengthEnd) = try length(base, short, bytes.count) else {
            return nil
        }
        var header = FrameHeader(
            opcode, payloadByteCount: payloadByteCount, isFinal: isFinal, reservedBits: reservedBits
        )
        guard isMasked else { return (header, lengthEnd) }
        guard bytes.count >= lengthEnd &+ 4 else { return nil }
        let key = base.loadUnaligned(fromByteOffset: lengthEnd, as: UInt32.self)
        header.maskingKey = UInt32(littleEndian: key)
        return (header, lengthEnd &+ 4)
    }

    /// RSV1 alone, on the first frame of a message: RFC 7692 §6.1 forbids it on others, and on
    /// control frames.
    private static func mayBeCompressed(_ first: UInt8) -> Bool {
        let opcode = first & 0xF
        return first >> 4 & 0x7 == compressedBit
            && (opcode == Opcode.text.rawValue || opcode == Opcode.binary.rawValue)
    }

    /// The payload's length in one of its three forms, and where the header continues.
    private static func length(
        _ base: UnsafeRawPointer, _ short: Int, _ availableByteCount: Int
    ) throws(ProtocolError) -> (payloadByteCount: Int, end: Int)? {
        switch short {
        case 126:
            guard availableByteCount >= 4 else { return nil }
            let long = UInt16(bigEndian: base.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
            // §5.2: "the minimal number of bytes MUST be used to encode the length"
            if long < 126 { throw .lengthNotMinimal(byteCount: UInt64(long)) }
            return (Int(long), 4)
        case 127:
            guard availableByteCount >= 10 else { return nil }
            let long = UInt64(bigEndian: base.loadUnaligned(fromByteOffset: 2, as: UInt64.self))
            // §5.2: "the most significant bit MUST be 0"
            guard let count = Int(exactly: long) else { throw .lengthOverflow }
            if count < 0x1_0000 { throw .lengthNotMinimal(byteCount: long) }
            return (count, 10)
        default:
            return (short, 2)
        }
    }

    /// Writes the header to `destination`, which has space for ``byteCount`` bytes.
    ///
    /// - Returns: how many bytes were written.
    @discardableResult
    public func write(to destination: UnsafeMutableRawPointer) -> Int {
        let first = (isFinal ? 0x80 : 0) | (reservedBits & 0x7) << 4 | opcode.rawValue
        let maskBit: UInt8 = maskingKey == nil ? 0 : 0x80
        destination.storeBytes(of: first, as: UInt8.self)
        var end = 2
        if payloadByteCount <= 125 {
            let short = maskBit | UInt8(truncatingIfNeeded: payloadByteCount)
            destination.storeBytes(of: short, toByteOffset: 1, as: UInt8.self)
        } else if payloadByteCount <= 0xFFFF {
            destination.storeBytes(of: maskBit | 126, toByteOffset: 1, as: UInt8.self)
            let long = UInt16(truncatingIfNeeded: payloadByteCount).bigEndian
            destination.storeBytes(of: long, toByteOffset: 2, as: UInt16.self)
            end = 4
        } else {
            destination.storeBytes(of: maskBit | 127, toByteOffset: 1, as: UInt8.self)
            let long = UInt64(payloadByteCount).bigEndian
            destination.storeBytes(of: long, toByteOffset: 2, as: UInt64.self)
            end = 10
        }
        if let maskingKey {
            destination.storeBytes(of: maskingKey.littleEndian, toByteOffset: end, as: UInt32.self)
            end &+= 4
        }
        return end
    }

    /// Writes the whole frame: header, then the payload, masked if there is a key.
    ///
    /// - Parameters:
    ///   - payload: exactly ``payloadByteCount`` bytes.
    ///   - destination: space for ``byteCount`` bytes and the payload.
    public func write(_ payload: UnsafeRawBufferPointer, to destination: UnsafeMutableRawPointer) {
        let start = destination + write(to: destination)
        guard let source = payload.baseAddress else { return }
        if let maskingKey {
            Mask.apply(maskingKey, to: payload, writingTo: start)
        } else {
            start.copyMemory(from: source, byteCount: payload.count)
        }
    }

    /// The whole frame as bytes, for small frames and tests.
    public func bytes(_ payload: some Sequence<UInt8>) -> [UInt8] {
        Array(payload).withUnsafeBytes { bytes($0) }
    }

    func bytes(_ payload: UnsafeRawBufferPointer) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: byteCount + payload.count) { buffer, count in
            guard let base = buffer.baseAddress else { return }
            write(payload, to: UnsafeMutableRawPointer(base))
            count = byteCount + payload.count
        }
    }
}
