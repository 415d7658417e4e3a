import TestSupport
import Testing

@testable import WebSocketProtocol

@Suite("RFC 6455 §5.5.1, §7.4 Close")
struct CloseTests {
    private func parse(_ bytes: [UInt8]) -> Result<Close, ProtocolError> {
        bytes.withUnsafeBytes { bytes in
            Result { () throws(ProtocolError) in try Close.parse(bytes) }
        }
    }

    private func payload(_ close: Close) -> Result<[UInt8], SendError> {
        Result { () throws(SendError) in try close.withPayload { [UInt8]($0) } }
    }

    /// First and last code of each range of §7.4.1 and §7.4.2, and whether it may be sent.
    static let codes: [Row<ClosedRange<UInt16>, Bool>] = [
        Row("not used", 0...999, false),
        Row("normal, going away, protocol error, unsupported data", 1000...1003, true),
        Row("reserved; no status; abnormal", 1004...1006, false),
        Row("invalid data to internal error", 1007...1011, true),
        Row("registered with IANA later", 1012...1014, true),
        Row("TLS handshake", 1015...1015, false),
        Row("for later revisions", 1016...2999, false),
        Row("libraries", 3000...3999, true),
        Row("applications", 4000...4999, true),
        Row("beyond", 5000...65_535, false),
    ]

    /// Every code is read if and only if it may be written.
    @Test(arguments: codes)
    func code(_ row: Row<ClosedRange<UInt16>, Bool>) {
        for value in row.input {
            let code = CloseCode(rawValue: value)
            let bytes = [UInt8(value >> 8), UInt8(value & 0xFF)]
            if row.expected {
                #expect(parse(bytes) == .success(Close(code)))
                #expect(payload(Close(code)) == .success(bytes))
            } else {
                #expect(parse(bytes) == .failure(.invalidCloseCode(value)))
                #expect(payload(Close(code)) == .failure(.closeCodeNotSendable(code)))
            }
        }
    }

    static let payloads: [Row<Close, [UInt8]>] = [
        Row("empty", Close(), []),
        Row("code alone", Close(.normalClosure), hex("03 e8")),
        Row("with a reason", Close(.goingAway, reason: "bye"), hex("03 e9 62 79 65")),
        Row("reason beyond ASCII", Close(4000, reason: "é😀"), hex("0f a0 c3 a9 f0 9f 98 80")),
        Row(
            "longest reason", Close(1000, reason: String(repeating: "a", count: 123)),
            hex("03 e8") + [UInt8](repeating: 0x61, count: 123)),
    ]

    @Test(arguments: payloads)
    func roundTrip(_ row: Row<Close, [UInt8]>) {
        #expect(payload(row.input) == .success(row.expected))
        #expect(parse(row.expected) == .success(row.input))
        #expect(row.expected.count <= FrameHeader.controlPayloadByteLimit)
    }

    static let broken: [Row<String, ProtocolError>] = [
        Row("one byte", "03", .closePayloadTooShort),
        Row("reason not UTF-8", "03 e8 ff", .invalidUTF8),
        Row("reason ends inside a character", "03 e8 c3", .invalidUTF8),
        Row("reason overlong", "03 e8 c0 80", .invalidUTF8),
        Row("code before reason", "03 ed ff", .invalidCloseCode(1005)),
    ]

    @Test(arguments: broken)
    func refused(_ row: Row<String, ProtocolError>) {
        #expect(parse(hex(row.input)) == .failure(row.expected))
    }

    static let unsendable: [Row<Close, SendError>] = [
        Row("reason without a code", Close(reason: "a"), .closeReasonWithoutCode),
        Row(
            "reason one byte over", Close(1000, reason: String(repeating: "a", count: 124)),
            .closeReasonTooLong(byteCount: 124)),
        Row(
            "reason over in bytes, not in characters",
            Close(1000, reason: String(repeating: "é", count: 62)),
            .closeReasonTooLong(byteCount: 124)),
        Row("no status", Close(.noStatusReceived), .closeCodeNotSendable(1005)),
        Row("abnormal", Close(.abnormalClosure), .closeCodeNotSendable(1006)),
    ]

    @Test(arguments: unsendable)
    func notSent(_ row: Row<Close, SendError>) {
        #expect(payload(row.input) == .failure(row.expected))
    }

    @Test func words() {
        #expect("\(Close())" == "1005")
        #expect("\(Close(1000))" == "1000")
        #expect("\(Close(1001, reason: "bye"))" == "1001 bye")
    }

    @Test("A reason is cut at a character's end, so that it fits")
    func cutting() {
        #expect(Close(1008, cutting: "why") == Close(1008, reason: "why"))
        let longest = String(repeating: "x", count: Close.reasonByteLimit)
        #expect(Close(1008, cutting: longest).reason == longest)
        #expect(Close(1008, cutting: longest + "x").reason == longest.dropLast(3) + "…")
        let globes = String(repeating: "🌍", count: 50)
        #expect(Close(1008, cutting: globes).reason == globes.prefix(30) + "…")
    }
}
