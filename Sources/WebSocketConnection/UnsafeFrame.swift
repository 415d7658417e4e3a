import WebSocketProtocol

/// For tests of clients: a frame whose every part can be wrong.
///
/// ```swift
/// try await socket.unsafeWrite(UnsafeFrame(opcode: 0x3, payload: [1, 2, 3]).bytes)
/// ```
public struct UnsafeFrame: Sendable, Hashable {
    public var isFinal: Bool
    /// RSV1 to RSV3 as a number of three bits, RSV1 the highest.
    public var reservedBits: UInt8
    /// Four bits, meaningful or not.
    public var opcode: UInt8
    /// Present: the frame claims to be masked, and its payload is.
    public var maskingKey: UInt32?
    /// The length that the header claims; `nil`: the true one.
    public var claimedByteCount: UInt64?
    /// How many bytes the length takes, 0, 2 or 8; `nil`: the shortest form.
    public var lengthByteCount: Int?
    public var payload: [UInt8]

    public init(
        opcode: UInt8, payload: [UInt8] = [], isFinal: Bool = true, reservedBits: UInt8 = 0,
        maskingKey: UInt32? = nil, claimedByteCount: UInt64? = nil, lengthByteCount: Int? = nil
    ) {
        self.isFinal = isFinal
        self.reservedBits = reservedBits
        self.opcode = opcode
        self.maskingKey = maskingKey
        self.claimedByteCount = claimedByteCount
        self.lengthByteCount = lengthByteCount
        self.payload = payload
    }

    /// A Close frame with any code, also one that must not be sent, and a reason of any length.
    ///
    /// - Parameter code: `nil`: a frame without a body, or with the reason alone.
    public static func close(_ code: UInt16?, reason: String = "") -> UnsafeFrame {
        let start = code.map {
            [UInt8(truncatingIfNeeded: $0 >> 8), UInt8(truncatingIfNeeded: $0)]
        }
        return UnsafeFrame(opcode: 0x8, payload: (start ?? []) + Array(reason.utf8))
    }

    /// The frame as it goes out.
    public var bytes: [UInt8] {
        let claimed = claimedByteCount ?? UInt64(payload.count)
        let width = lengthByteCount ?? (claimed <= 125 ? 0 : claimed <= 0xFFFF ? 2 : 8)
        let first = (isFinal ? 0x80 : 0) | (reservedBits & 7) << 4 | opcode & 0xF
        let short: UInt8 =
            switch width {
            case 0: UInt8(truncatingIfNeeded: claimed) & 0x7F
            case 2: 126
            default: 127
            }
        var frame = [first, (maskingKey == nil ? 0 : 0x80) | short]
        if width > 0 {
            for shift in stride(from: (width == 2 ? 8 : 56), through: 0, by: -8) {
                frame.append(UInt8(truncatingIfNeeded: claimed >> UInt64(shift)))
            }
        }
        guard let maskingKey else { return frame + payload }
        withUnsafeBytes(of: maskingKey.littleEndian) { frame += $0 }
        var masked = payload
        masked.withUnsafeMutableBytes { Mask.apply(maskingKey, to: $0) }
        return frame + masked
    }
}
