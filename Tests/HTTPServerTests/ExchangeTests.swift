import EventLoop
import HTTPProtocol
import Testing

@testable import HTTPServer

@Suite("Exchanges, with a client in memory and time that stands still")
struct ExchangeTests {
    private static func get(_ path: String, _ fields: String = "") -> String {
        "GET \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n"
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let bytes: String
        let statuses: [Int]
        let ends: Bool
    }

    static let cases = [
        Case(testDescription: "one request", bytes: get("/a"), statuses: [200], ends: false),
        Case(
            testDescription: "three, one behind the other",
            bytes: get("/a") + get("/b") + get("/c"),
            statuses: [200, 200, 200], ends: false),
        Case(
            testDescription: "the client wants the end",
            bytes: get("/a", "Connection: close\r\n") + get("/b"), statuses: [200], ends: true),
        Case(
            testDescription: "HTTP/1.0", bytes: "GET /a HTTP/1.0\r\n\r\n", statuses: [200],
            ends: true),
        Case(
            testDescription: "no Host", bytes: "GET /a HTTP/1.1\r\n\r\n", statuses: [400],
            ends: true),
        Case(testDescription: "bad head", bytes: "GET /a\r\n\r\n", statuses: [400], ends: true),
        Case(
            testDescription: "bad target", bytes: get("/%zz") + get("/a"), statuses: [400, 200],
            ends: false),
        Case(
            testDescription: "another server", bytes: get("http://b/a") + get("http://c/a"),
            statuses: [421, 200], ends: false),
        Case(
            testDescription: "nobody answers", bytes: get("/nobody"), statuses: [404], ends: false),
        Case(
            testDescription: "the answer comes later", bytes: get("/later") + get("/a"),
            statuses: [200, 200], ends: false),
        Case(
            testDescription: "a body nobody reads",
            bytes: get("/a", "Content-Length: 3\r\n") + "abc",
            statuses: [200], ends: true),
        Case(testDescription: "half a head", bytes: "GET /a HTTP", statuses: [], ends: false),
    ]

    @Test("answers, and whether the connection goes on", arguments: cases)
    func answers(_ row: Case) throws {
        for pieceByteCount in [row.bytes.utf8.count, 1, 7] {
            try withExchange { exchange in
                try exchange.send(row.bytes, pieceByteCount)
                #expect(exchange.statuses == row.statuses)
                #expect(exchange.hasEnded == row.ends)
            }
        }
    }

    @Test("a client that keeps us waiting is closed, kept or not", arguments: ["", "GET", "kept"])
    func slowHead(_ start: String) throws {
        try withExchange { exchange in
            try exchange.send(start == "kept" ? Self.get("/a") : start)
            try exchange.advance(by: .seconds(9))
            #expect(!exchange.hasEnded)
            try exchange.advance(by: .seconds(1))
            #expect(exchange.hasEnded)
            #expect(exchange.statuses == (start == "kept" ? [200] : []))
        }
    }

    @Test("a client that reads nothing is closed; one that reads on gets its next answer")
    func slowReader() throws {
        for reads in [false, true] {
            try withExchange { exchange in
                try exchange.onLoop { exchange.peer.pauseReading() }
                try exchange.send(Self.get("/long") + Self.get("/a"))
                try exchange.advance(by: .seconds(59))
                #expect(!exchange.hasEnded)
                if reads { try exchange.onLoop { exchange.peer.resumeReading() } }
                try exchange.advance(by: .seconds(1))
                #expect(exchange.hasEnded == !reads)
                #expect(exchange.statuses == (reads ? [200, 200] : []))
            }
        }
    }

    @Test("a process that leaves closes what waits, and says so in answers")
    func leaving() throws {
        try withExchange { exchange in
            try exchange.send(Self.get("/a"))
            try exchange.onLoop {
                exchange.exchanges.leave()
                exchange.exchanges.closeKept()
            }
            try exchange.advance(by: .zero)
            #expect(exchange.hasEnded)
        }
        try withExchange { exchange in
            try exchange.onLoop {
                exchange.exchanges.leave()
                exchange.exchanges.closeKept()
            }
            try exchange.send(Self.get("/a"))
            #expect(exchange.text.contains("\r\nConnection: close\r\n"))
            #expect(exchange.hasEnded)
        }
    }

    @Test("a client's end is noticed when its request has been answered")
    func halfClosed() throws {
        try withExchange { exchange in
            try exchange.send(Self.get("/a"))
            try exchange.onLoop { exchange.peer.end() }
            try exchange.advance(by: .zero)
            #expect(exchange.hasEnded)
            #expect(exchange.statuses == [200])
        }
    }
}
