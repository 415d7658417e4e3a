import HTTPProtocol
import Testing
import WebSocketProtocol

@testable import WebSocketHost

@Suite("Log")
struct LogTests {
    static let rows: [(name: String, text: String, shown: String)] = [
        ("plain", "hello, wörld", "hello, wörld"),
        ("line feed", "a\nb", "a\\nb"),
        ("escape sequence", "\u{1B}[31m", "\\u{1B}[31m"),
        ("direction override", "a\u{202E}b", "a\\u{202E}b"),
        ("backslash", "a\\n", "a\\\\n"),
        ("NUL", "\0", "\\0"),
    ]

    @Test("what came from outside is shown on one line", arguments: rows)
    func escape(_ name: String, _ text: String, _ shown: String) {
        #expect(escaped(text) == shown, "\(name)")
    }

    @Test("long text is cut and counted")
    func cut() {
        #expect(escaped("abcdef", limit: 3) == "abc… (6 characters)")
    }

    @Test("level names", arguments: LogLevel.allCases)
    func level(_ level: LogLevel) {
        #expect(LogLevel(name: level.name.uppercased()) == level)
        #expect(LogLevel(name: "warn") == .warning && LogLevel(name: "loud") == nil)
    }
}

@Suite("Routes")
struct RoutesTests {
    private let handler = WebSocketHandler { _ in }

    @Test("exact match, aliases in order, failures listed")
    func routes() {
        var routes = Routes([
            Registration(route: "/echo", source: "echo_wsh.swift", handler: handler),
            Registration(route: "/bad", source: "bad_wsh.swift", failure: "bad_wsh.swift:1:1: error: x"),
        ])
        #expect(routes.find("/echo") != nil && routes.find("/echo/") == nil && routes.find("echo") == nil)
        let added = [("/", "/echo"), ("/second", "/"), ("/third", "/none")].map { alias, existing in
            routes.add(alias: alias, for: existing)
        }
        #expect(added == [true, true, false])
        #expect(routes.find("/second")?.source == "echo_wsh.swift")
        #expect(routes.listing.map(\.path) == ["/", "/bad", "/echo", "/second"])
        #expect(routes.listing[1].failure == "bad_wsh.swift:1:1: error: x")
    }
}

@Suite("Inbox")
struct InboxTests {
    @Test("order, limits by count and by bytes, memory given back")
    func inbox() {
        var inbox = Inbox(countLimit: 3, byteLimit: 10)
        for number in 0..<3 {
            #expect(!inbox.isFull)
            inbox.append(.text("\(number)"))
        }
        #expect(inbox.isFull)
        let first = inbox.popFirst()
        #expect(first == .text("0") && !inbox.isFull)
        inbox.append(.binary([UInt8](repeating: 0, count: 8)))
        #expect(inbox.isFull)
        let rest = (0..<4).map { _ in inbox.popFirst() }
        #expect(rest == [.text("1"), .text("2"), .binary([UInt8](repeating: 0, count: 8)), nil])
        #expect(inbox.isEmpty)
    }
}

@Suite("Unsafe frames")
struct UnsafeFrameTests {
    static let rows: [(name: String, frame: UnsafeFrame, bytes: [UInt8])] = [
        ("RFC 6455 §5.7 Hello", UnsafeFrame(opcode: 1, payload: Array("Hello".utf8)),
            [0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F]),
        ("RFC 6455 §5.7 masked Hello",
            UnsafeFrame(opcode: 1, payload: Array("Hello".utf8), maskingKey: 0x3D21_FA37),
            [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58]),
        ("reserved bits and opcode", UnsafeFrame(opcode: 0xB, isFinal: false, reservedBits: 5), [0x5B, 0]),
        ("false length", UnsafeFrame(opcode: 2, payload: [1], claimedByteCount: 9), [0x82, 9, 1]),
        ("length not minimal", UnsafeFrame(opcode: 2, payload: [1], lengthByteCount: 2),
            [0x82, 126, 0, 1, 1]),
        ("eight bytes of length", UnsafeFrame(opcode: 2, payload: [1], lengthByteCount: 8),
            [0x82, 127, 0, 0, 0, 0, 0, 0, 0, 1, 1]),
    ]

    @Test("bytes", arguments: rows)
    func bytes(_ name: String, _ frame: UnsafeFrame, _ bytes: [UInt8]) {
        #expect(frame.bytes == bytes, "\(name)")
    }
}

@Suite("RFC 6455 §10.2 Allowed origins")
struct AllowedOriginsTests {
    static let rows: [(AllowedOrigins, origin: String?, host: String?, isLetIn: Bool)] = [
        (.any, "http://x", "y", true),
        (.same, "http://localhost:9998", "localhost:9998", true),
        (.same, "https://LOCALHOST:9998", "localhost:9998", true),
        (.same, "http://localhost:9999", "localhost:9998", false),
        (.same, "http://localhost", "localhost:9998", false),
        (.same, "null", "localhost", false),
        (.same, "http://evil/localhost", "localhost", false),
        (.same, "http://localhost", nil, false),
        (.same, nil, "localhost", true),
        (.list([]), "http://x", "x", false),
    ]

    @Test("who is let in", arguments: rows)
    func admits(_ allowed: AllowedOrigins, _ origin: Optional<String>, _ host: Optional<String>, _ isLetIn: Bool) {
        #expect(allowed.admits(origin, host: host) == isLetIn)
    }
}
