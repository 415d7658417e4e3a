import Counting
import Testing
import WebSocketConnection

@testable import Metrics

@Suite("the memory of metrics")
struct MetricsMemoryTests {
    private static let accepted = #"websockethost_handshakes_total{route="/a",result="accepted"}"#
    private static let open = #"websockethost_connections{route="/a"}"#
    private static let lost = #"websockethost_closes_total{route="/a",code="1006",side="server"}"#

    @Test("loops, processes and those that come to their place are added up")
    func sums() throws {
        let shared = TestMemory()
        let memory = try #require(shared.opened())
        for (place, lane) in [(0, 0), (0, 1), (1, 0), (1, 0), (0, 0)] {
            let process = MetricsPlace(place, in: try #require(shared.opened()))
            process.route("/a", lane: lane).add(1, to: RouteCells.accepted)
        }
        #expect(samples(memory)[Self.accepted] == "5")
        #expect(memory.blockCount == 2 + 3)  // two processes, three loops
    }

    @Test("a process that has gone leaves what it counted, and no open connection")
    func freed() throws {
        let memory = try #require(TestMemory().opened())
        for place in [0, 1] {
            let cells = MetricsPlace(place, in: memory).route("/a", lane: 0)
            cells.add(5, to: RouteCells.accepted)
            cells.add(2, to: ConnectionCounters.closesByClient)
            MetricsPlace(place, in: memory).note(processID: 100 + place)
        }
        #expect(samples(memory)[Self.open] == "6")
        memory.free(place: 0)
        #expect(samples(memory)[Self.open] == "3")
        #expect(samples(memory)[Self.lost] == "3")
        #expect(samples(memory)[Self.accepted] == "10")
        #expect(memory.processIDs == [101])
        memory.free(place: 0)
        #expect(samples(memory)[Self.lost] == "3")
    }

    @Test("names are kept once; beyond the limit routes are counted as one")
    func routeLimit() throws {
        let memory = try #require(TestMemory().opened())
        let place = MetricsPlace(0, in: memory)
        for number in 0..<MetricsLayout.routeLimit + 10 {
            place.route("/\(number)", lane: 0).add(1, to: RouteCells.accepted)
        }
        place.route("/0", lane: 0).add(1, to: RouteCells.accepted)
        let samples = samples(memory)
        func count(_ route: String) -> String? {
            samples[#"websockethost_handshakes_total{route="\#(route)",result="accepted"}"#]
        }
        #expect(memory.routeCount == MetricsLayout.routeLimit)
        #expect(count("/0") == "2")
        #expect(count("/4093") == "1")  // two names are the server's
        #expect(count("/4094") == nil)
        #expect(count("other") == "12")
        #expect(!place.isFull)
    }

    @Test("a name that is too long is counted as other")
    func longName() throws {
        let memory = try #require(TestMemory().opened())
        let place = MetricsPlace(0, in: memory)
        let limit = MetricsLayout.nameByteLimit
        place.route(String(repeating: "x", count: limit), lane: 0).add(1, to: RouteCells.accepted)
        place.route(String(repeating: "x", count: limit + 1), lane: 0).add(
            1, to: RouteCells.accepted)
        let other = samples(memory)[
            #"websockethost_handshakes_total{route="other",result="accepted"}"#]
        #expect(other == "1")
        #expect(memory.routeCount == 3)
    }

    @Test("without a block it is counted where nobody looks")
    func blockLimit() throws {
        let memory = try #require(TestMemory().opened())
        let place = MetricsPlace(0, in: memory)
        var lane = 0
        while memory.blockCount < memory.blockLimit {
            for route in 0..<64 { _ = place.route("/\(route)", lane: lane) }
            lane += 1
        }
        #expect(place.isFull || memory.blockCount == memory.blockLimit)
        let cells = place.route("/beyond", lane: 0)
        cells.add(1, to: RouteCells.accepted)
        #expect(place.isFull)
        #expect(cells.value(RouteCells.accepted) == 1)
        #expect(!samples(memory).keys.contains { $0.contains(#"route="/beyond",result"#) })
    }

    @Test("memory of another version, or too little, is not used")
    func otherVersion() throws {
        let shared = TestMemory()
        shared.write(MetricsLayout.magic, at: 0)
        shared.write(Metric.digest &+ 1, at: 8)
        #expect(shared.opened() == nil)
        let other = TestMemory()
        other.write(1, at: 0)
        #expect(other.opened() == nil)
        #expect(
            MetricsMemory(
                other.base, byteCount: MetricsMemory.ownByteCount - 1, owner: other) == nil)
    }

    @Test("what is torn is not shown: a name, or a block, that is not ready")
    func torn() throws {
        let shared = TestMemory()
        let memory = try #require(shared.opened())
        let place = MetricsPlace(0, in: memory)
        place.route("/a", lane: 0).add(1, to: RouteCells.accepted)
        // Another process took a number and a block, and died.
        shared.write(4, at: MetricsLayout.Header.routeCount.rawValue * 8)
        shared.write(3, at: MetricsLayout.Header.blockCount.rawValue * 8)
        #expect(memory.name(ofRoute: 3) == nil)
        #expect(memory.key(ofBlock: 2) == nil)
        place.route("/b", lane: 0).add(1, to: RouteCells.accepted)
        #expect(samples(memory)[Self.accepted] == "1")
        #expect(
            samples(memory)[#"websockethost_handshakes_total{route="/b",result="accepted"}"#]
                == "1")
    }

    @Test("a process that writes anything at all makes no other one trap", arguments: 0..<40)
    func hostile(_ seed: UInt64) throws {
        let shared = TestMemory()
        let memory = try #require(shared.opened())
        let before = MetricsPlace(0, in: memory)
        before.route("/a", lane: 0).add(1, to: RouteCells.accepted)
        var numbers = Numbers(state: seed &* 0x9E37_79B9_7F4A_7C15 | 1)
        // The header behind the digest, the routes, the names, and the first blocks.
        let places =
            Array(stride(from: 16, to: 64, by: 8))
            + Array(stride(from: MetricsLayout.routesOffset, to: MetricsLayout.namesOffset, by: 8))
            + (0..<2_000).map { MetricsLayout.namesOffset + $0 * 8 }
            + (0..<6_400).map { MetricsLayout.blocksOffset + $0 * 8 }
        for offset in places { shared.write(numbers.next(), at: offset) }
        if seed % 4 == 0 {
            // Small numbers get further.
            shared.write(numbers.next() % 5_000, at: 16)
            shared.write(numbers.next() % 20_000, at: 32)
        }
        _ = samples(memory)
        _ = samples(memory, .openMetrics)
        _ = memory.processIDs
        memory.free(place: 0)
        let place = MetricsPlace(0, in: memory)
        for lane in 0..<3 {
            place.route("/b", lane: lane).add(.max, to: RouteCells.accepted)
            place.loop(lane: lane).observe(.max, in: .roundTrip, at: 0)
        }
        place.countStart(.trap)
        _ = samples(memory)
    }
}

/// xorshift64
private struct Numbers {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}

@Suite("histograms")
struct HistogramTests {
    @Test(
        "a duration is counted at its bound",
        arguments: [
            (-5, 0), (0, 0), (100_000, 0), (100_001, 1), (1_000_000_000, 10),
            (10_000_000_000, 13), (10_000_000_001, 14), (.max, 14),
        ])
    func bucket(_ nanoseconds: Int, _ cell: Int) {
        let own = OwnCells(count: 20)
        own.cells.observe(nanoseconds, in: .roundTrip, at: 2)
        let counts = (0..<15).map { own.cells.value(2 + $0) }
        #expect(counts.firstIndex(of: 1) == cell)
        #expect(counts.reduce(0, +) == 1)
        #expect(own.cells.value(2 + HistogramBounds.roundTrip.sumCell) == max(0, nanoseconds))
    }

    @Test(
        "the bounds are written as they are", arguments: [HistogramBounds.roundTrip, .connection])
    func bounds(_ bounds: HistogramBounds) {
        #expect(bounds.texts == bounds.nanoseconds.map { Exposition.seconds($0) })
        #expect(bounds.nanoseconds == bounds.nanoseconds.sorted())
    }
}
