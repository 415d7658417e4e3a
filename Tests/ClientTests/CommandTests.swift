import HTTPProtocol
import Testing
import WebSocketClient
import WebSocketProtocol

@testable import EventLoop
@testable import client

@Suite("What a line asks for")
struct CommandTests {
    static let rows: [(line: String, command: LineCommand)] = [
        ("", .send(.text(""))), ("Hello", .send(.text("Hello"))),
        (" /ping", .send(.text(" /ping"))),
        ("//", .send(.text("/"))), ("//close", .send(.text("/close"))),
        ("/ping", .ping([])), ("/ping a b", .ping(Array("a b".utf8))),
        ("/binary 00ff 0A", .send(.binary([0, 255, 10]))), ("/binary", .send(.binary([]))),
        ("/binary 0", .mistake("/binary takes \(Hexadecimal.form)")),
        ("/binary é", .mistake("/binary takes \(Hexadecimal.form)")),
        ("/close", .close(1000, reason: "")), ("/close 4000", .close(4000, reason: "")),
        ("/close 4000 that is  all", .close(4000, reason: "that is  all")),
        ("/close 1005", .close(1005, reason: "")),
        ("/close 70000", .mistake("/close takes a number and a reason: /close 4000 enough")),
        ("/close soon", .mistake("/close takes a number and a reason: /close 4000 enough")),
        ("/help", .help),
        ("/", .mistake("no such command: /help lists them, // sends a text that begins with /")),
        (
            "/Ping",
            .mistake("no such command: /help lists them, // sends a text that begins with /")
        ),
    ]

    @Test("text, or a command behind /", arguments: rows)
    func command(_ line: String, _ command: LineCommand) {
        #expect(LineCommand(line) == command)
    }
}

@Suite("Hexadecimal")
struct HexadecimalTests {
    static let rows: [(text: String, bytes: [UInt8]?)] = [
        ("", []), ("00", [0]), ("fF0a", [255, 10]), (" 00 01\t02 ", [0, 1, 2]), ("0", nil),
        ("0 0", nil),
        ("0x", nil), ("zz", nil), ("٣٣", nil), ("ｆｆ", nil), ("00f", nil), ("-1", nil),
    ]

    @Test("pairs of digits, spaces between pairs", arguments: rows)
    func read(_ text: String, _ bytes: [UInt8]?) {
        #expect(Hexadecimal.bytes(text) == bytes)
    }

    @Test("each byte there and back")
    func roundTrip() {
        let bytes = Array(UInt8.min...UInt8.max)
        #expect(Hexadecimal.bytes(Hexadecimal.text(bytes)) == bytes)
        #expect(Hexadecimal.text([0, 15, 16, 255]) == "000f10ff")
    }
}

@Suite("JSON objects")
struct JSONObjectTests {
    @Test("members in order, strings escaped, nothing is null")
    func line() {
        var object = JSONObject(event: "text")
        object.add("text", "a\"\\\n\u{1}é")
        object.add("none", String?.none)
        object.add("code", 1000)
        object.add("milliseconds", 0.25)
        #expect(
            object.line
                == "{\"event\":\"text\",\"text\":\"a\\\"\\\\\\n\\u0001é\",\"none\":null,"
                + "\"code\":1000,\"milliseconds\":0.25}\n")
    }
}

@Suite("Exit codes")
struct ExitCodeTests {
    static let errors: [(error: ConnectError, code: Int32)] = [
        (.invalidURL("x"), 2),
        (.tlsFile(TLSFileError(content: .certificate, path: "a", reason: "b")), 2),
        (.unknownHost(ResolveError(host: "a", reason: "b")), 3), (.tls(.notTLS), 3), (.lost, 3),
        (.timedOut, 6),
        (.refused(ResponseHead(status: .forbidden), body: []), 4),
        (.malformedAnswer(.malformedStatusLine), 4),
        (.handshake(.missingAcceptKey), 4), (.handshake(.duplicateSubprotocol("a")), 2),
    ]

    @Test("of a connection that did not open", arguments: errors)
    func connecting(_ error: ConnectError, _ code: Int32) {
        #expect(ExitCode(error).rawValue == code)
    }

    static let closes: [(closeCode: UInt16?, code: Int32)] = [
        (1000, 0), (1001, 0), (nil, 0), (1002, 1), (1011, 1), (4000, 1),
    ]

    @Test("of a connection that the server closed", arguments: closes)
    func closing(_ closeCode: UInt16?, _ code: Int32) {
        #expect(
            ExitCode(closedByServer: Close(closeCode.map { CloseCode(rawValue: $0) })).rawValue
                == code)
    }
}
