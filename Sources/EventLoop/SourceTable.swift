/// The event sources of a loop, by descriptor. Belongs to the loop's thread.
struct SourceTable {
    private var entries: [Entry] = []

    private struct Entry {
        var source: (any EventSource)?
        /// Tells a descriptor from a later one with the same number.
        var generation: UInt32 = 0
        var isBatched = false
    }

    /// - Returns: the token that comes back with the descriptor's events.
    mutating func add(_ fd: Int32, _ source: any EventSource, isBatched: Bool) -> UInt64 {
        let index = Int(fd)
        while entries.count <= index { entries.append(Entry()) }
        entries[index].source = source
        entries[index].isBatched = isBatched
        entries[index].generation &+= 1
        return token(fd)
    }

    mutating func remove(_ fd: Int32) {
        entries[Int(fd)].source = nil
        entries[Int(fd)].generation &+= 1
    }

    func token(_ fd: Int32) -> UInt64 {
        UInt64(entries[Int(fd)].generation) << 32 | UInt64(fd)
    }

    private static func index(_ token: UInt64) -> Int {
        Int(truncatingIfNeeded: token & 0xFFFF_FFFF)
    }

    /// `nil`: an event that is out of date.
    subscript(token: UInt64) -> (any EventSource)? {
        let index = Self.index(token)
        guard index < entries.count, entries[index].generation == UInt32(token >> 32) else {
            return nil
        }
        return entries[index].source
    }

    /// Whether the source is handled in a batch with others.
    func isBatched(_ token: UInt64) -> Bool {
        let index = Self.index(token)
        return index < entries.count && entries[index].isBatched
    }

    /// All that there are now.
    var all: [any EventSource] { entries.compactMap(\.source) }
}
