import EventLoop
import HTTPProtocol
import Logging
import LoopTesting
import Testing

@testable import HTTPServer

/// An exchange, and its client in memory.
final class TestExchange: @unchecked Sendable {
    let exchanges: Exchanges
    let peer = MemoryPeer()
    private let loop: RunningLoop
    private let received = Watched<[UInt8]>([])
    private let isClosed = Watched(false)

    init(_ exchanges: Exchanges) throws {
        self.exchanges = exchanges
        loop = RunningLoop(loop: exchanges.loop)
        let address = try #require(try SocketAddress.resolve(host: "127.0.0.1", port: 1).first)
        try onLoop { [self] in
            peer.onBytes = { [received] bytes in received.update { $0 += bytes } }
            peer.onEnd = { [isClosed] in isClosed.set() }
            exchanges.begin(Stream(peer, peer: address, on: exchanges.loop))
        }
    }

    /// Another client of the same server.
    func another() throws -> TestExchange { try TestExchange(exchanges) }

    var text: String { String(decoding: received.value, as: UTF8.self) }
    var hasEnded: Bool { isClosed.value }
    var statuses: [Int] { Self.statuses(received.value) }

    private static func statuses(_ bytes: [UInt8]) -> [Int] {
        String(decoding: bytes, as: UTF8.self).split(separator: "HTTP/1.1 ").compactMap {
            Int($0.prefix(3))
        }
    }

    /// Waits for these answers, which depend on another thread than the loop's.
    func wait(for statuses: [Int]) -> Bool {
        received.wait { Self.statuses($0) == statuses }
    }

    func onLoop(_ body: @escaping () -> Void) throws { try loop(body) }

    func send(_ text: String, _ pieceByteCount: Int = .max) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(pieceByteCount))
            rest = rest.dropFirst(pieceByteCount)
            try onLoop { [peer] in peer.send(piece) }
            try advance(by: .zero)
        }
    }

    func advance(by duration: Duration) throws {
        let isDone = Watched(false)
        try onLoop { [loop] in loop.loop.advance(by: duration) { isDone.set() } }
        guard isDone.wait() else { throw Unfinished() }
    }
}

/// The loop did not do what it had to within the deadline.
private struct Unfinished: Error {}

/// Puts the request off, and has it asked for again.
final class Later: Responder {
    func respond(to request: inout Request, _ exchange: Exchange) -> Reply {
        guard request.path == "/later", request.user == nil else { return .pass }
        var again = request
        again.user = "later"
        exchange.loop.submit { [again] in exchange.choose(again) }
        return .later
    }
}

final class Pages: Responder {
    func respond(to request: inout Request, _ exchange: Exchange) -> Reply {
        switch request.path {
        case "/nobody": .pass
        case "/long":
            .response(Response(.ok, type: "a/b", body: Array(repeating: 0x61, count: 200_000)))
        default: .response(Response(.ok, text: request.path))
        }
    }
}

/// - Parameter body: may open any number of connections to a server with these responders.
func withExchanges(
    _ responders: [any Responder], _ body: (_ open: () throws -> TestExchange) throws -> Void
) throws {
    let loop = try Loop(manualTime: ManualTime())
    let thread = try loop.start()
    defer {
        loop.stop()
        thread.join()
    }
    let settings = ExchangeSettings(
        headLimits: RequestHeadLimits(), headTimeout: .seconds(10), sendTimeout: .seconds(60),
        closeTimeout: .seconds(5), upgradeProtocol: "other")
    let exchanges = Exchanges(on: loop, log: Log(level: .critical), settings)
    exchanges.responders = responders
    try body { try TestExchange(exchanges) }
}

func withExchange(_ body: (TestExchange) throws -> Void) throws {
    try withExchanges([TargetResponder(host: "c", port: 80), Later(), Pages()]) { open in
        try body(try open())
    }
}
