import EventLoop
import Foundation
import Processes
import Synchronization
import TestSupport
import Testing

@testable import ClientLimits

@Suite("Open connections by address")
struct OpenConnectionTests {
    private func opened(_ table: ClientTable, _ client: ClientAddress, limit: Int) throws
        -> ClientTable.OpenClient
    {
        guard case .counted(let open) = table.open(client, limit: limit) else {
            throw SystemError("no connection", code: EAGAIN)
        }
        return open
    }

    @Test("one over the limit is refused, whichever processes have the others")
    func limit() throws {
        let tables = try Tables()
        let (one, other) = (try tables.table(place: 0), try tables.table(place: 3))
        let first = try opened(one, client(1), limit: 3)
        _ = try opened(other, client(1), limit: 3)
        _ = try opened(one, client(1), limit: 3)
        #expect(one.open(client(1), limit: 3) == .refused)
        #expect(other.open(client(1), limit: 3) == .refused)
        #expect(other.openCount(of: client(1)) == 3, "what was refused is not counted")
        _ = try opened(other, client(2), limit: 3)  // another client
        one.close(first)
        _ = try opened(other, client(1), limit: 3)
        #expect(one.openCount(of: client(1)) == 3)
    }

    @Test("a process's counts vanish with its place, and only its own")
    func cleared() throws {
        let tables = try Tables()
        let supervisor = try tables.table(place: 0)
        let (one, other) = (try tables.table(place: 1), try tables.table(place: 2))
        let gone = try opened(one, client(1), limit: 9)
        _ = try opened(other, client(1), limit: 9)
        supervisor.clear(place: 1)
        #expect(other.openCount(of: client(1)) == 1)
        one.close(gone)  // of a process that is not as dead as it seemed
        #expect(other.openCount(of: client(1)) == 1)
        let next = try tables.table(place: 1)
        _ = try opened(next, client(1), limit: 9)
        #expect(other.openCount(of: client(1)) == 2)
        supervisor.clear(place: 2)
        supervisor.clear(place: 99)
        supervisor.clear(place: -1)
        #expect(other.openCount(of: client(1)) == 1)
    }

    @Test("memory that is no file's is cleared as well") func clearedWithoutFile() throws {
        let count = ClientTable.byteCount(placeCount: 1)
        let base = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 4_096)
        defer { base.deallocate() }
        base.initializeMemory(as: UInt8.self, repeating: 0, count: count)
        ClientTable.prepare(base, placeCount: 1)
        let table = try #require(ClientTable(base, byteCount: count, place: 0))
        _ = try opened(table, client(1), limit: 1)
        table.clear(place: 0)
        #expect(table.openCount(of: client(1)) == 0)
    }

    @Test("very many clients: those without room are let through, and the others stay counted")
    func full() throws {
        let table = try Tables().table(place: 0)
        var open: [(ClientAddress, ClientTable.OpenClient)] = []
        var omittedCount = 0
        for number in 0..<2 * AddressSets.addressLimit {
            switch table.open(client(number), limit: 1) {
            case .counted(let counted): open.append((client(number), counted))
            case .notCounted: omittedCount += 1
            case .refused: Issue.record("refused \(number)")
            }
        }
        #expect(open.count <= AddressSets.addressLimit)
        #expect(open.count > AddressSets.addressLimit * 9 / 10)
        #expect(omittedCount == 2 * AddressSets.addressLimit - open.count)
        for (client, _) in open.prefix(1_000) { #expect(table.open(client, limit: 1) == .refused) }
        for (_, counted) in open { table.close(counted) }
        for (client, _) in open { #expect(table.openCount(of: client) == 0) }
        _ = try opened(table, client(5_000_000), limit: 1)
    }

    @Test("many threads on several mappings: never too many at a time, and none left at the end")
    func threads() async throws {
        let tables = try Tables()
        let limit = 20
        let openCount = OpenCount()
        let worst = try await withThrowingTaskGroup(of: Int.self) { group in
            for place in 0..<4 {
                let table = try tables.table(place: place)
                for thread in 0..<2 {
                    group.addTask {
                        var generator = SeededGenerator(seed: UInt64(place * 2 + thread))
                        var open: [ClientTable.OpenClient] = []
                        var worst = 0
                        for _ in 0..<20_000 {
                            if Bool.random(using: &generator) || open.isEmpty {
                                let opening = table.open(client(7), limit: limit)
                                guard case .counted(let counted) = opening else { continue }
                                open.append(counted)
                                worst = max(worst, openCount.add(1))
                            } else {
                                openCount.add(-1)
                                table.close(open.removeLast())
                            }
                        }
                        for counted in open {
                            openCount.add(-1)
                            table.close(counted)
                        }
                        return worst
                    }
                }
            }
            return try await group.reduce(0) { max($0, $1) }
        }
        #expect(worst <= limit)
        #expect(try tables.table(place: 0).openCount(of: client(7)) == 0)
    }

    @Test("garbage from other processes is no more than a wrong count") func garbage() throws {
        let tables = try Tables()
        var generator = SeededGenerator(seed: 42)
        let table = try tables.table(place: 0)
        for _ in 0..<3 {
            tables.fill(with: &generator)
            for number in 0..<2_000 {
                if case .counted(let open) = table.open(client(number), limit: 5) {
                    table.close(open)
                }
                #expect(table.openCount(of: client(number)) >= 0)
                _ = table.admitHandshake(
                    of: client(number), RateLimit(60, in: .seconds(60), burst: 60),
                    at: Tables.start + .seconds(number))
            }
        }
        table.clear(place: 0)
        table.clear(place: 1)
    }

    @Test("a header that this version does not know is not used", arguments: [0, 1, 31, 63])
    func unknownHeader(_ bit: Int) throws {
        let tables = try Tables()
        let words = tables.memory.base.assumingMemoryBound(to: UInt64.self)
        words[0] ^= 1 << UInt64(bit)
        #expect(
            ClientTable(tables.memory.base, byteCount: tables.memory.byteCount, place: 0) == nil)
    }

    @Test("neither is one that promises more than there is") func shortMemory() throws {
        let tables = try Tables(placeCount: 2)
        let base = tables.memory.base
        let count = tables.memory.byteCount
        #expect(ClientTable(base, byteCount: count, place: 1) != nil)
        #expect(ClientTable(base, byteCount: count - 1, place: 1) == nil)
        #expect(ClientTable(base, byteCount: 8, place: 0) == nil)
        #expect(ClientTable(base, byteCount: count, place: 2) == nil)
        #expect(ClientTable(base, byteCount: count, place: -1) == nil)
        for placeCount in [Int64.min, -1, 0, 65, .max] {
            base.storeBytes(of: placeCount, toByteOffset: 24, as: Int64.self)
            #expect(ClientTable(base, byteCount: count, place: 0) == nil)
        }
    }
}

private final class OpenCount: Sendable {
    private let value = Atomic(0)

    @discardableResult
    func add(_ change: Int) -> Int {
        value.add(change, ordering: .sequentiallyConsistent).newValue
    }
}
