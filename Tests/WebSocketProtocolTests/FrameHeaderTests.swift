import TestSupport
import Testing

@testable import WebSocketProtocol

@Suite("RFC 6455 §5.2 Frame header")
struct FrameHeaderTests {
    /// What parsing gives, as a value that can be compared.
    enum Parsed: Hashable, Sendable {
        case incomplete
        case header(FrameHeader, byteCount: Int)
        case failed(ProtocolError)
    }

    static func parse(_ bytes: [UInt8], _ role: Role) -> Parsed {
        bytes.withUnsafeBytes { bytes in
            do throws(ProtocolError) {
                guard let (header, count) = try FrameHeader.parse(bytes, role: role) else {
                    return .incomplete
                }
                return .header(header, byteCount: count)
            } catch {
                return .failed(error)
            }
        }
    }

    static let lengths: [Row<Int, String>] = [
        Row("nothing", 0, "82 00"),
        Row("one", 1, "82 01"),
        Row("last short", 125, "82 7d"),
        Row("first of 16 bits", 126, "82 7e 00 7e"),
        Row("second of 16 bits", 127, "82 7e 00 7f"),
        Row("§5.7: 256 bytes", 256, "82 7e 01 00"),
        Row("last of 16 bits", 65_535, "82 7e ff ff"),
        Row("§5.7: 64 KiB, first of 64 bits", 65_536, "82 7f 00 00 00 00 00 01 00 00"),
        Row("longer than 32 bits", 1 << 32, "82 7f 00 00 00 01 00 00 00 00"),
        Row("last of all", .max, "82 7f 7f ff ff ff ff ff ff ff"),
    ]

    /// Written as the row says, masked and not; read back the same, and never from fewer bytes.
    @Test(arguments: lengths)
    func length(_ row: Row<Int, String>) {
        for key in [nil, exampleKey, 0] {
            var expected = hex(row.expected)
            if let key {
                expected[1] |= 0x80
                expected += key == 0 ? [0, 0, 0, 0] : exampleKeyBytes
            }
            let header = FrameHeader(.binary, payloadByteCount: row.input, maskingKey: key)
            #expect(header.byteCount == expected.count)
            #expect(header.byteCount <= FrameHeader.byteCountLimit)
            let written = written(header)
            #expect(written == expected)
            let role: Role = key == nil ? .client : .server
            for count in 0..<written.count {
                #expect(Self.parse(Array(written[..<count]), role) == .incomplete, "\(count)")
            }
            let whole = Parsed.header(header, byteCount: written.count)
            #expect(Self.parse(written, role) == whole)
            #expect(Self.parse(written + [0xFF, 0xFF, 0xFF, 0xFF, 0xFF], role) == whole)
        }
    }

    private func written(_ header: FrameHeader) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: FrameHeader.byteCountLimit)
        let count = bytes.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map { header.write(to: $0) } ?? 0
        }
        return Array(bytes[..<count])
    }

    /// Every pair of first bytes: what is read is written back the same, what is refused is refused
    /// by the rule that comes first.
    @Test(arguments: [Role.server, .client])
    func everyFirstTwoBytes(role: Role) {
        for first in 0...UInt8.max {
            for second in 0...UInt8.max {
                let rest: [UInt8]
                switch second & 0x7F {
                case 126: rest = [0xFF, 0xFE]
                case 127: rest = [0, 0, 0, 0, 0, 1, 0, 0]
                default: rest = []
                }
                let bytes = [first, second] + rest + (second & 0x80 != 0 ? exampleKeyBytes : [])
                let parsed = Self.parse(bytes, role)
                let expected = Self.failure(first, second, role)
                if let expected {
                    #expect(parsed == .failed(expected))
                    #expect(Self.parse([first, second], role) == .failed(expected), "at once")
                } else if case .header(let header, let count) = parsed {
                    #expect(count == bytes.count)
                    #expect(written(header) == bytes)
                } else {
                    Issue.record("\(first) \(second): \(parsed)")
                }
            }
        }
    }

    private static func failure(_ first: UInt8, _ second: UInt8, _ role: Role) -> ProtocolError? {
        if first & 0x70 != 0 { return .reservedBits((first & 0x70) >> 4) }
        guard let opcode = Opcode(rawValue: first & 0xF) else {
            return .reservedOpcode(first & 0xF)
        }
        if first & 0x8 != 0 {
            if first & 0x80 == 0 { return .fragmentedControlFrame(opcode) }
            if second & 0x7F > 125 {
                return .controlFrameTooLong(byteCount: UInt64(second & 0x7F))
            }
        }
        switch role {
        case .server: return second & 0x80 == 0 ? .unmaskedFrame : nil
        case .client: return second & 0x80 != 0 ? .maskedFrame : nil
        }
    }

    static let refusedLengths: [Row<String, ProtocolError>] = [
        Row("0 in 16 bits", "82 7e 00 00", .lengthNotMinimal(byteCount: 0)),
        Row("125 in 16 bits", "82 7e 00 7d", .lengthNotMinimal(byteCount: 125)),
        Row("0 in 64 bits", "82 7f 00 00 00 00 00 00 00 00", .lengthNotMinimal(byteCount: 0)),
        Row("126 in 64 bits", "82 7f 00 00 00 00 00 00 00 7e", .lengthNotMinimal(byteCount: 126)),
        Row(
            "65535 in 64 bits", "82 7f 00 00 00 00 00 00 ff ff",
            .lengthNotMinimal(byteCount: 65_535)),
        Row("top bit", "82 7f 80 00 00 00 00 00 00 00", .lengthOverflow),
        Row("all bits", "82 7f ff ff ff ff ff ff ff ff", .lengthOverflow),
    ]

    @Test(arguments: refusedLengths)
    func refusedLength(_ row: Row<String, ProtocolError>) {
        let bytes = hex(row.input)
        #expect(Self.parse(bytes, .client) == .failed(row.expected))
        #expect(row.expected.closeCode == .protocolError)
        for count in 0..<bytes.count {
            #expect(Self.parse(Array(bytes[..<count]), .client) == .incomplete, "\(count)")
        }
    }

    /// Frames whole: the examples of §5.7.
    static let examples: [Row<(FrameHeader, [UInt8]), String>] = [
        Row(
            "unmasked text", (FrameHeader(.text, payloadByteCount: 5), Array("Hello".utf8)),
            "81 05 48 65 6c 6c 6f"),
        Row(
            "masked text",
            (
                FrameHeader(.text, payloadByteCount: 5, maskingKey: exampleKey),
                Array("Hello".utf8)
            ), "81 85 37 fa 21 3d 7f 9f 4d 51 58"),
        Row(
            "first fragment",
            (FrameHeader(.text, payloadByteCount: 3, isFinal: false), Array("Hel".utf8)),
            "01 03 48 65 6c"),
        Row(
            "last fragment",
            (FrameHeader(.continuation, payloadByteCount: 2), Array("lo".utf8)), "80 02 6c 6f"),
        Row(
            "unmasked Ping", (FrameHeader(.ping, payloadByteCount: 5), Array("Hello".utf8)),
            "89 05 48 65 6c 6c 6f"),
        Row(
            "masked Pong",
            (
                FrameHeader(.pong, payloadByteCount: 5, maskingKey: exampleKey),
                Array("Hello".utf8)
            ), "8a 85 37 fa 21 3d 7f 9f 4d 51 58"),
        Row("empty", (FrameHeader(.binary, payloadByteCount: 0), []), "82 00"),
        Row(
            "reserved bits, for tests of clients",
            (FrameHeader(.ping, payloadByteCount: 0, reservedBits: 5), []), "d9 00"),
    ]

    @Test(arguments: examples)
    func example(_ row: Row<(FrameHeader, [UInt8]), String>) {
        #expect(row.input.0.bytes(row.input.1) == hex(row.expected))
    }
}
