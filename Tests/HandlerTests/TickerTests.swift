import Foundation
import Testing
import WebSocketHostTesting
import ticker_wsh

@Suite("Shipped handlers: ticker")
struct TickerTests {
    private struct Tick: Decodable {
        let share: String
        let price: Int
        let number: Int
        let process: Int32
    }

    private static func ticks(_ client: WebSocketHostTesting.TestClient) async throws -> [Tick] {
        var ticks: [Tick] = []
        for _ in 0..<3 {
            guard case .text(let text) = try await client.receive() else { continue }
            ticks.append(try JSONDecoder().decode(Tick.self, from: Data(text.utf8)))
        }
        return ticks
    }

    @Test("each second everybody gets three prices, the same ones")
    func everySecond() async throws {
        let host = try TestHost(ticker_wsh.handler)
        let (one, two) = (try await host.connect(), try await host.connect())
        var before = ["Ada": 10_000, "Grace": 10_000, "Mary": 10_000]
        for number in 2...5 {
            try await host.advance(by: .milliseconds(999))
            try await one.receiveNothing()
            try await host.advance(by: .milliseconds(1))
            let ticks = try await Self.ticks(one)
            #expect(ticks.map(\.share) == ["Ada", "Grace", "Mary"])
            #expect(ticks.allSatisfy { $0.number == number && $0.process == getpid() })
            for tick in ticks {
                // The first tick came before anybody was there.
                let moves = number == 2 ? 2 : 1
                let price = before[tick.share] ?? 0
                #expect(abs(tick.price - price) <= moves * (price / 100 + 1))
                before[tick.share] = tick.price
            }
            #expect(try await Self.ticks(two).map(\.price) == ticks.map(\.price))
        }
    }

    @Test("late comers hear the next ticks; what clients say changes nothing")
    func lateComers() async throws {
        let host = try TestHost(ticker_wsh.handler)
        let client = try await host.connect()
        try await client.send("stop")
        try await host.advance(by: .seconds(1))
        #expect(try await Self.ticks(client).count == 3)
        let late = try await host.connect()
        try await late.receiveNothing()
        try await host.advance(by: .seconds(1))
        #expect(try await Self.ticks(late).first?.number == 3)
    }

    @Test("a process that is replaced is silent")
    func retires() async throws {
        let host = try TestHost(ticker_wsh.handler)
        let client = try await host.connect()
        try await host.retire()
        try await host.advance(by: .seconds(10))
        try await client.receiveNothing()
    }
}
