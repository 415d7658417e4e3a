import EventLoop
import Foundation
import Processes
import TestSupport
import Testing

@testable import ClientLimits

/// The memory of a table, and mappings of it as several processes have them.
struct Tables {
    let memory: SharedMemory
    let placeCount: Int
    static let start = MonotonicTime(nanoseconds: 1_000_000_000_000)

    init(placeCount: Int = 4) throws {
        memory = try SharedMemory(
            name: "test", byteCount: ClientTable.byteCount(placeCount: placeCount))
        self.placeCount = placeCount
        ClientTable.prepare(memory.base, placeCount: placeCount)
    }

    /// As another process has it: mapped once more.
    func table(place: Int) throws -> ClientTable {
        let mapping = try SharedMemory(adopting: dup(memory.descriptor))
        return try #require(
            ClientTable(
                mapping.base, byteCount: mapping.byteCount, place: place, owner: mapping))
    }

    /// All that follows the header, garbage that a generator makes.
    func fill(with generator: inout SeededGenerator) {
        let words = memory.base.assumingMemoryBound(to: UInt64.self)
        for index in 64..<memory.byteCount / 8 { words[index] = generator.next() }
    }
}

func client(_ text: String) -> ClientAddress {
    SocketAddress(number: text, port: 1).flatMap { ClientAddress($0) }
        ?? ClientAddress(SocketAddress(number: "192.0.2.255", port: 0)!)!
}

func client(_ number: Int) -> ClientAddress {
    client("10.\(number >> 16 & 255).\(number >> 8 & 255).\(number & 255)")
}
