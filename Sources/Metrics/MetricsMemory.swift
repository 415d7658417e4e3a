import Counting
import Synchronization

/// The memory that metrics are counted in, as ``MetricsLayout`` has it.
///
/// Other processes write to it, and one of them may be broken: all that is read is checked against
/// the layout before it is used as an index, and no sum traps.
///
/// `@unchecked Sendable`: its words are read and written atomically, and the bytes of a name before
/// the word that says that they are ready.
package struct MetricsMemory: @unchecked Sendable {
    private let base: UnsafeMutableRawPointer
    /// What keeps the memory.
    package let owner: AnyObject & Sendable
    let blockLimit: Int

    /// As much as is needed for processes that share it, in bytes. It costs nothing before it is
    /// written to.
    package static let byteCount = MetricsLayout.byteCount
    /// As much as a server needs that shares it with nobody.
    package static let ownByteCount = MetricsLayout.ownByteCount

    /// - Parameters:
    ///   - base: zeros, or what another process made of that; aligned to 64 bytes.
    ///   - owner: what keeps the memory.
    /// - Returns: `nil` if there is too little of it, or if it was made by a version of this
    ///   program that counts something else.
    package init?(_ base: UnsafeMutableRawPointer, byteCount: Int, owner: AnyObject & Sendable) {
        guard byteCount >= MetricsLayout.ownByteCount else { return nil }
        self.base = base
        self.owner = owner
        blockLimit = min(
            MetricsLayout.blockLimit,
            (byteCount - MetricsLayout.blocksOffset) / MetricsLayout.blockByteCount)
        if word(.magic).pointee.load(ordering: .acquiring) == 0 {
            // Two that come at once write the same.
            word(.digest).pointee.store(Metric.digest, ordering: .relaxed)
            word(.magic).pointee.store(MetricsLayout.magic, ordering: .releasing)
        }
        guard word(.magic).pointee.load(ordering: .acquiring) == MetricsLayout.magic,
            word(.digest).pointee.load(ordering: .relaxed) == Metric.digest
        else { return nil }
    }

    private typealias Word = UnsafeMutablePointer<Atomic<UInt64>>

    private func word(at offset: Int) -> Word {
        (base + offset).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    private func word(_ field: MetricsLayout.Header) -> Word {
        word(at: field.rawValue * MetricsLayout.wordByteCount)
    }

    /// How much of something is taken, as far as that can be.
    private func taken(_ field: MetricsLayout.Header, limit: Int) -> Int {
        Int(min(word(field).pointee.load(ordering: .acquiring), UInt64(limit)))
    }

    /// Takes `count` of something of which there are `limit`.
    ///
    /// - Returns: the first of them; `nil` if there are not so many.
    private func take(_ count: Int, of field: MetricsLayout.Header, limit: Int) -> Int? {
        // Most come when it is full already, and must not have the number wrap around.
        guard taken(field, limit: limit) <= limit - count else { return nil }
        let first = word(field).pointee.add(UInt64(count), ordering: .acquiringAndReleasing)
            .oldValue
        guard first <= UInt64(limit - count) else { return nil }
        return Int(first)
    }
}

// MARK: - Names of routes

extension MetricsMemory {
    /// What is counted for no route: a path that no handler has.
    package static let noRoute = "none"
    /// What is counted for all routes for which there is no room.
    package static let otherRoute = "other"

    var routeCount: Int { taken(.routeCount, limit: MetricsLayout.routeLimit) }

    private func routeWord(_ index: Int) -> Word {
        word(at: MetricsLayout.routesOffset + index * MetricsLayout.wordByteCount)
    }

    /// The number of a route, which stays the same; `nil`: there is no room for another one.
    ///
    /// Two processes that come with the same new name at once may each give it a number. What is
    /// counted for the two is added up by name.
    func route(named name: String) -> Int? {
        for index in 0..<routeCount where self.name(ofRoute: index) == name { return index }
        let bytes = Array(name.utf8)
        guard bytes.count <= MetricsLayout.nameByteLimit,
            let offset = take(bytes.count, of: .nameByteCount, limit: MetricsLayout.namesByteLimit),
            let index = take(1, of: .routeCount, limit: MetricsLayout.routeLimit)
        else { return nil }
        (base + MetricsLayout.namesOffset + offset).copyMemory(
            from: bytes, byteCount: bytes.count)
        let place = NamePlace(offset: offset, byteCount: bytes.count)
        routeWord(index).pointee.store(place.word, ordering: .releasing)
        return index
    }

    /// `nil`: it has none, or none yet.
    func name(ofRoute index: Int) -> String? {
        guard (0..<routeCount).contains(index),
            let place = NamePlace(routeWord(index).pointee.load(ordering: .acquiring))
        else { return nil }
        let bytes = UnsafeRawBufferPointer(
            start: base + MetricsLayout.namesOffset + place.offset, count: place.byteCount)
        // A copy: another process could write to it between the check and its use.
        return String(validating: Array(bytes), as: UTF8.self)
    }

    /// Where a name lies.
    private struct NamePlace {
        let offset: Int
        let byteCount: Int

        private static let ready: UInt64 = 1 << 63

        var word: UInt64 { Self.ready | UInt64(byteCount) << 32 | UInt64(offset) }

        init(offset: Int, byteCount: Int) {
            self.offset = offset
            self.byteCount = byteCount
        }

        init?(_ word: UInt64) {
            offset = Int(word & 0xFFFF_FFFF)
            byteCount = Int(word >> 32 & 0x7FFF_FFFF)
            guard word & Self.ready != 0, byteCount <= MetricsLayout.nameByteLimit,
                offset <= MetricsLayout.namesByteLimit - byteCount
            else { return nil }
        }
    }
}

// MARK: - Blocks

extension MetricsMemory {
    var blockCount: Int { taken(.blockCount, limit: blockLimit) }

    private func blockOffset(_ index: Int) -> Int {
        MetricsLayout.blocksOffset + index * MetricsLayout.blockByteCount
    }

    /// `nil`: it is not ready.
    func key(ofBlock index: Int) -> BlockKey? {
        BlockKey(word(at: blockOffset(index)).pointee.load(ordering: .acquiring))
    }

    /// - Parameter index: below ``blockCount``.
    func cells(ofBlock index: Int) -> CounterCells {
        CounterCells(base + blockOffset(index) + MetricsLayout.cellsOffset)
    }

    /// `nil`: all are taken.
    func addBlock(_ key: BlockKey) -> CounterCells? {
        guard let index = take(1, of: .blockCount, limit: blockLimit) else { return nil }
        word(at: blockOffset(index)).pointee.store(key.word, ordering: .releasing)
        return cells(ofBlock: index)
    }
}
