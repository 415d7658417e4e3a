import Glibc
import HTTPProtocol
import WebSocketProtocol

/// Does one of the things that `Tests/Bench/instructions` counts, so many times:
///
///     instructions SUBJECT TIMES
///
/// Without arguments it prints the subjects. Nothing here is random and nothing looks at a clock:
/// the same call takes the same instructions.
@main
struct Instructions {
    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, let count = Int(arguments[2]) else {
            for (name, _) in subjects { print(name) }
            return
        }
        guard let (_, prepare) = subjects.first(where: { $0.name == arguments[1] }) else { exit(2) }
        let action = prepare()
        var sum = 0
        for _ in 0..<count { sum &+= action() }
        print(sum)  // so that none of it is left out as useless
    }

    /// Each prepares what it needs, and gives what is counted.
    static let subjects: [(name: String, prepare: @Sendable () -> () -> Int)] = [
        ("request head of a browser", { { readHead(browserRequest) } }),
        ("handshake: head, checks and answer", { { answerHandshake(browserRequest) } }),
        ("headers of 100 empty frames", { receiving(frames(.binary, [], count: 100)) }),
        ("a text of 64 bytes, received", { receiving(frames(.text, ascii(64))) }),
        (
            "a text of 64 bytes, byte by byte",
            { receiving(frames(.text, ascii(64)), pieceByteCount: 1) }
        ),
        ("4 KiB in 4 fragments, received", { receiving(fragments(ascii(4096), count: 4)) }),
        ("unmask 64 bytes", { unmasking(64) }),
        ("unmask 64 KiB", { unmasking(65_536) }),
        ("UTF-8: 1 KiB of ASCII", { validating(ascii(1024)) }),
        ("UTF-8: 1 KiB of JSON", { validating(repeated(json, 1024)) }),
        ("UTF-8: 1 KiB of Chinese", { validating(repeated(chinese, 1024)) }),
        ("serialise 64 bytes", { serialising(64) }),
        ("serialise 64 KiB", { serialising(65_536) }),
        ("echo of 64 bytes of text", { echoing(frames(.text, ascii(64))) }),
        (
            "echo of 16 texts of 64 bytes in one read",
            { echoing(frames(.text, ascii(64), count: 16)) }
        ),
        ("echo of 1 KiB, binary", { echoing(frames(.binary, ascii(1024))) }),
    ]

    // MARK: Handshake

    static let browserRequest = Array(
        """
        GET /echo HTTP/1.1\r
        Host: localhost:9998\r
        Connection: Upgrade\r
        Pragma: no-cache\r
        Cache-Control: no-cache\r
        User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
        Chrome/140.0.0.0\r
        Upgrade: websocket\r
        Origin: http://localhost:9998\r
        Sec-WebSocket-Version: 13\r
        Accept-Encoding: gzip, deflate, br, zstd\r
        Accept-Language: en-GB,en;q=0.9\r
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
        Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r
        \r\n
        """.utf8)

    static func parsed(_ request: [UInt8]) -> RequestHead {
        var parser = RequestHeadParser()
        return request.withUnsafeBytes { bytes in
            do throws(RequestError) {
                guard case .complete(let head, _) = try parser.parse(bytes) else {
                    fail("half a request")
                }
                return head
            } catch {
                fail("\(error)")
            }
        }
    }

    static func readHead(_ request: [UInt8]) -> Int { parsed(request).target.utf8.count }

    static func answerHandshake(_ request: [UInt8]) -> Int {
        do throws(HandshakeError) {
            let client = try OpeningHandshake.check(parsed(request))
            guard let answer = try? OpeningHandshake.answer(to: client) else { fail("no answer") }
            return answer.count
        } catch {
            fail("\(error)")
        }
    }

    // MARK: Frames

    /// As a client sends them.
    static func frames(_ opcode: Opcode, _ payload: [UInt8], count: Int = 1) -> [UInt8] {
        let header = FrameHeader(opcode, payloadByteCount: payload.count, maskingKey: 0x3D21_FA37)
        return Array(repeatElement(header.bytes(payload), count: count).joined())
    }

    static func fragments(_ payload: [UInt8], count: Int) -> [UInt8] {
        let byteCount = payload.count / count
        return (0..<count).flatMap { index in
            FrameHeader(
                index == 0 ? .text : .continuation, payloadByteCount: byteCount,
                isFinal: index == count - 1,
                maskingKey: 0x3D21_FA37
            ).bytes(payload[(index * byteCount)..<((index + 1) * byteCount)])
        }
    }

    /// Unmasking writes to the input, so each time begins with a copy.
    static func receiving(_ bytes: [UInt8], pieceByteCount: Int = .max) -> () -> Int {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 64)
        var session = Session(role: .server)
        return {
            buffer.copyBytes(from: bytes)
            var sum = 0
            var start = 0
            while start < buffer.count {
                let end = start + min(pieceByteCount, buffer.count - start)
                var input = InputBytes(UnsafeMutableRawBufferPointer(rebasing: buffer[start..<end]))
                while let event = next(&session, &input) { sum &+= byteCount(event) }
                start = end
            }
            return sum
        }
    }

    static func next(_ session: inout Session, _ input: inout InputBytes) -> Session.Event? {
        do throws(ProtocolError) {
            return try session.nextEvent(from: &input)
        } catch {
            fail("\(error)")
        }
    }

    static func byteCount(_ event: Session.Event) -> Int {
        switch event {
        case .message(.text(let text)): text.utf8.count
        case .message(.binary(let bytes)): bytes.count
        default: fail("no message")
        }
    }

    static func serialising(_ byteCount: Int) -> () -> Int {
        let payload = ascii(byteCount)
        let output = UnsafeMutableRawBufferPointer.allocate(
            byteCount: byteCount + 14, alignment: 64)
        guard let start = output.baseAddress else { fail("no memory") }
        return {
            let header = FrameHeader(.binary, payloadByteCount: payload.count)
            payload.withUnsafeBytes { header.write($0, to: start) }
            return header.byteCount
        }
    }

    /// From received bytes to the bytes of the answer, as a server's session does it.
    static func echoing(_ bytes: [UInt8]) -> () -> Int {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 64)
        let output = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 64)
        guard let start = output.baseAddress else { fail("no memory") }
        var session = Session(role: .server)
        return {
            buffer.copyBytes(from: bytes)
            var input = InputBytes(buffer)
            var end = 0
            while let event = next(&session, &input) {
                guard case .message(let message) = event else { fail("no message") }
                end += send(message, &session, start + end)
            }
            return end
        }
    }

    static func send(
        _ message: Message, _ session: inout Session, _ output: UnsafeMutableRawPointer
    ) -> Int {
        switch message {
        case .text(var text): text.withUTF8 { send(.text, .init($0), &session, output) }
        case .binary(let bytes): bytes.withUnsafeBytes { send(.binary, $0, &session, output) }
        }
    }

    static func send(
        _ kind: Opcode, _ payload: UnsafeRawBufferPointer, _ session: inout Session,
        _ output: UnsafeMutableRawPointer
    ) -> Int {
        guard let header = try? session.headerForMessage(kind, payloadByteCount: payload.count)
        else {
            fail("the session does not send")
        }
        header.write(payload, to: output)
        return header.byteCount + payload.count
    }

    // MARK: Bytes

    static func unmasking(_ byteCount: Int) -> () -> Int {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
        buffer.copyBytes(from: ascii(byteCount))
        return {
            Mask.apply(0x3D21_FA37, to: buffer)
            return Int(buffer[0])
        }
    }

    static func validating(_ bytes: [UInt8]) -> () -> Int {
        {
            bytes.withUnsafeBytes { bytes in
                var validator = UTF8Validator()
                guard validator.accept(bytes) else { fail("valid text is refused") }
                return validator.isAtCharacterBoundary ? 1 : 0
            }
        }
    }

    static let json =
        "{\"id\":4711,\"from\":\"Zoë\",\"text\":\"Grüße – привет, 世界! 🎉\",\"read\":false},"
    static let chinese = "天地玄黄，宇宙洪荒。日月盈昃，辰宿列張。寒來暑往，秋收冬藏。"

    static func ascii(_ byteCount: Int) -> [UInt8] {
        repeated("The quick brown fox jumps over the lazy dog. ", byteCount)
    }

    /// The text over and over; it may end inside a character.
    static func repeated(_ sample: String, _ byteCount: Int) -> [UInt8] {
        let sample = Array(sample.utf8)
        return (0..<byteCount).map { sample[$0 % sample.count] }
    }

    static func fail(_ problem: String) -> Never {
        print("instructions: \(problem)")
        exit(1)
    }
}
