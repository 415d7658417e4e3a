import EventLoop
import TestSupport
import Testing

@testable import ClientLimits

@Suite("Handshakes by address")
struct HandshakeRateTests {
    private let limit = RateLimit(60, in: .seconds(60), burst: 60)

    private func admits(
        _ table: ClientTable, _ client: ClientAddress, at seconds: Double, _ limit: RateLimit
    ) -> RateOutcome {
        table.admitHandshake(of: client, limit, at: Tables.start + .seconds(seconds))
    }

    @Test("a minute's worth at once, then one for each token that came back")
    func burst() throws {
        let tables = try Tables()
        let both = [try tables.table(place: 0), try tables.table(place: 2)]
        for number in 0..<60 {
            #expect(admits(both[number % 2], client(1), at: 5, limit) == .admitted)
        }
        for table in both {
            #expect(
                admits(table, client(1), at: 5, limit) == .refused(retryAfter: .seconds(1)))
            #expect(admits(table, client(2), at: 5, limit) == .admitted)
        }
        #expect(
            admits(both[0], client(1), at: 5.25, limit)
                == .refused(retryAfter: .milliseconds(750)))
        #expect(admits(both[1], client(1), at: 6, limit) == .admitted)
        #expect(admits(both[0], client(1), at: 6, limit) == .refused(retryAfter: .seconds(1)))
        for _ in 0..<10 { #expect(admits(both[0], client(1), at: 16, limit) == .admitted) }
        #expect(admits(both[0], client(1), at: 16, limit) == .refused(retryAfter: .seconds(1)))
        // What is refused takes no token: after a minute the bucket is full.
        for _ in 0..<60 { #expect(admits(both[0], client(1), at: 76, limit) == .admitted) }
        #expect(admits(both[0], client(1), at: 76, limit) != .admitted)
    }

    @Test("over hours exactly as many as the limit says", arguments: [1, 7, 64, 600, 6_000])
    func exact(_ count: Int) throws {
        let table = try Tables().table(place: 0)
        let limit = RateLimit(count, in: .seconds(60), burst: count)
        var admitted = 0
        // Twenty tries for each token.
        let tries = count * 20 * 10
        for number in 0..<tries {
            let seconds = Double(number) * 600 / Double(tries)
            if admits(table, client(1), at: seconds, limit) == .admitted { admitted += 1 }
        }
        let expected = count + count * 10
        #expect(abs(admitted - expected) <= max(1, expected / 100))
    }

    @Test("what a process counted stays when its place is cleared") func outlives() throws {
        let tables = try Tables()
        let one = RateLimit(1, in: .seconds(60), burst: 1)
        #expect(admits(try tables.table(place: 1), client(1), at: 0, one) == .admitted)
        try tables.table(place: 0).clear(place: 1)
        #expect(
            admits(try tables.table(place: 2), client(1), at: 20, one)
                == .refused(retryAfter: .seconds(40)))
    }

    @Test("another limit after a new start: what is owed is read as an empty bucket at most")
    func newLimit() throws {
        let table = try Tables().table(place: 0)
        let slow = RateLimit(1, in: .seconds(60), burst: 1)
        let quick = RateLimit(600, in: .seconds(60), burst: 10)
        #expect(admits(table, client(1), at: 0, slow) == .admitted)
        #expect(
            admits(table, client(1), at: 0, quick) == .refused(retryAfter: .milliseconds(100)))
        #expect(admits(table, client(1), at: 1, quick) == .admitted)
    }

    @Test("very many clients: those without room are let through; later there is room again")
    func full() throws {
        let table = try Tables().table(place: 0)
        let one = RateLimit(1, in: .seconds(60), burst: 1)
        var counts = (admitted: 0, notCounted: 0)
        for number in 0..<2 * AddressSets.addressLimit {
            switch admits(table, client(number), at: 1, one) {
            case .admitted: counts.admitted += 1
            case .notCounted: counts.notCounted += 1
            case .refused: break  // taken for another one, by its mark
            }
        }
        #expect(counts.admitted > AddressSets.addressLimit * 9 / 10)
        #expect(counts.notCounted > AddressSets.addressLimit / 2)
        #expect(counts.admitted + counts.notCounted > 2 * AddressSets.addressLimit - 100)
        #expect(admits(table, client(5_000_000), at: 62, one) == .admitted)
    }

    @Test("many threads at one moment get exactly the burst") func threads() async throws {
        let tables = try Tables()
        let limit = limit
        let admitted = try await withThrowingTaskGroup(of: Int.self) { group in
            for place in 0..<4 {
                let table = try tables.table(place: place)
                group.addTask {
                    (0..<500).count { _ in
                        table.admitHandshake(
                            of: client(9), limit, at: Tables.start + .seconds(3)) == .admitted
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(admitted == 60)
    }
}
