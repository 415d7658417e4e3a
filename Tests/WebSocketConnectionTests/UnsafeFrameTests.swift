import Testing

@testable import WebSocketConnection

@Suite("Unsafe frames")
struct UnsafeFrameTests {
    static let rows: [(name: String, frame: UnsafeFrame, bytes: [UInt8])] = [
        (
            "RFC 6455 §5.7 Hello", UnsafeFrame(opcode: 1, payload: Array("Hello".utf8)),
            [0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F]
        ),
        (
            "RFC 6455 §5.7 masked Hello",
            UnsafeFrame(opcode: 1, payload: Array("Hello".utf8), maskingKey: 0x3D21_FA37),
            [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58]
        ),
        (
            "reserved bits and opcode", UnsafeFrame(opcode: 0xB, isFinal: false, reservedBits: 5),
            [0x5B, 0]
        ),
        ("false length", UnsafeFrame(opcode: 2, payload: [1], claimedByteCount: 9), [0x82, 9, 1]),
        (
            "length not minimal", UnsafeFrame(opcode: 2, payload: [1], lengthByteCount: 2),
            [0x82, 126, 0, 1, 1]
        ),
        (
            "eight bytes of length", UnsafeFrame(opcode: 2, payload: [1], lengthByteCount: 8),
            [0x82, 127, 0, 0, 0, 0, 0, 0, 0, 1, 1]
        ),
    ]

    @Test("bytes", arguments: rows)
    func bytes(_ name: String, _ frame: UnsafeFrame, _ bytes: [UInt8]) {
        #expect(frame.bytes == bytes, "\(name)")
    }
}
