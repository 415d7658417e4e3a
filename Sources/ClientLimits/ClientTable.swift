import EventLoop
import Glibc
import Synchronization

/// What all server processes of a supervisor know of their clients by address: how many connections
/// each has open, and how many handshakes it made. Lies in memory that they share.
///
/// | bytes    | what                                                         | written by |
/// | -------- | ------------------------------------------------------------ | ---------- |
/// | 0…31     | the header: version, key of the hash, count of places        | its maker  |
/// | 512…1023 | for each place whether its counts are in use                 | its place  |
/// | 4096…    | ``HandshakeRates``, 1 MiB                                    | all        |
/// | then     | ``OpenCounts`` of each place, 1 MiB                          | its place  |
///
/// A process that ends leaves nothing locked, for there are no locks; its counts are cleared with
/// its place. What others wrote is input: no value of it can trap here. A client for whom there is
/// no room is not limited.
package final class ClientTable: Sendable {
    /// Raised when anything above changes: an old process may run beside a new one.
    private static let version: UInt64 = 0x5753_4843_4C00_0001
    package static let placeLimit = 64

    /// `@unchecked Sendable`: the memory is only used through atomics, but for the header, which
    /// changes no more.
    private struct Memory: @unchecked Sendable {
        let base: UnsafeMutableRawPointer
        /// Keeps it mapped.
        let owner: (AnyObject & Sendable)?
    }

    private struct Header {
        var version = ClientTable.version
        var key: (UInt64, UInt64)
        var placeCount: Int64
    }

    private let memory: Memory
    private let place: Int
    private let placeCount: Int
    private let hash: AddressHash

    private static let flagsOffset = 512
    private static let ratesOffset = 4_096
    private static func countsOffset(_ place: Int) -> Int {
        ratesOffset + AddressSets.byteCount * (1 + place)
    }

    /// How much memory a table needs.
    package static func byteCount(placeCount: Int) -> Int { countsOffset(placeCount) }

    /// Writes the header of a new table. Once, before anybody has a ``ClientTable`` there.
    ///
    /// - Parameters:
    ///   - base: all zero, `byteCount(placeCount:)` of it, at the beginning of a page.
    ///   - placeCount: at most ``placeLimit``.
    package static func prepare(_ base: UnsafeMutableRawPointer, placeCount: Int) {
        var random = SystemRandomNumberGenerator()
        let header = Header(
            key: (random.next(), random.next()), placeCount: Int64(placeCount))
        base.storeBytes(of: header, as: Header.self)
    }

    /// - Parameters:
    ///   - base: prepared, at the beginning of a page.
    ///   - place: the counts that are this process's alone.
    ///   - owner: keeps the memory.
    /// - Returns: `nil` if the memory has no table that this version knows, or not that place.
    package init?(
        _ base: UnsafeMutableRawPointer, byteCount: Int, place: Int,
        owner: (AnyObject & Sendable)? = nil
    ) {
        guard byteCount >= MemoryLayout<Header>.size else { return nil }
        let header = base.load(as: Header.self)
        let placeCount = Int(header.placeCount)
        guard header.version == Self.version, (1...Self.placeLimit).contains(placeCount),
            byteCount >= Self.byteCount(placeCount: placeCount),
            (0..<placeCount).contains(place)
        else { return nil }
        memory = Memory(base: base, owner: owner)
        self.place = place
        self.placeCount = placeCount
        hash = AddressHash(key: header.key)
    }
}

// MARK: - Open connections

extension ClientTable {
    package enum Opening: Equatable, Sendable {
        /// Until ``close(_:)``.
        case counted(OpenClient)
        /// So many are open that this one would be one too many. It is not counted.
        case refused
        /// There is no room for the client: no limit applies to it.
        case notCounted
    }

    /// A connection that is counted.
    package struct OpenClient: Hashable, Sendable { fileprivate let hash: UInt64 }

    /// Counts a connection, unless it were one more than `limit`. Of two that come at the same
    /// moment in two processes, both may be refused where one had room.
    package func open(_ client: ClientAddress, limit: Int) -> Opening {
        let hash = hash(client)
        let own = counts(at: place)
        flags[place].store(1, ordering: .sequentiallyConsistent)
        guard own.add(hash) else { return .notCounted }
        // Counted first and looked at then, so that two cannot both take the last place.
        guard openCount(hash) <= limit else {
            own.remove(hash)
            return .refused
        }
        return .counted(OpenClient(hash: hash))
    }

    /// Once for each connection that was counted.
    package func close(_ client: OpenClient) { counts(at: place).remove(client.hash) }

    /// How many connections a client has open, over all processes.
    package func openCount(of client: ClientAddress) -> Int { openCount(hash(client)) }

    private func openCount(_ hash: UInt64) -> Int {
        var count = 0
        for place in 0..<placeCount where isUsed(place) { count += counts(at: place).count(hash) }
        return count
    }

    /// Forgets what the process of a place counted. When that has ended.
    package func clear(place: Int) {
        guard (0..<placeCount).contains(place), isUsed(place) else { return }
        flags[place].store(0, ordering: .sequentiallyConsistent)
        let counts = memory.base + Self.countsOffset(place)
        // Shared memory of a file gives its pages back, and is zero then; other memory is written.
        if madvise(counts, AddressSets.byteCount, MADV_REMOVE) != 0 {
            memset(counts, 0, AddressSets.byteCount)
        }
    }

    private func isUsed(_ place: Int) -> Bool {
        flags[place].load(ordering: .sequentiallyConsistent) != 0
    }

    private func counts(at place: Int) -> OpenCounts {
        OpenCounts(memory.base + Self.countsOffset(place))
    }

    /// By place: not 0 if its counts are in use.
    private var flags: UnsafeMutablePointer<AddressSets.Word> {
        (memory.base + Self.flagsOffset).assumingMemoryBound(to: AddressSets.Word.self)
    }
}

// MARK: - Handshakes

extension ClientTable {
    /// Counts a handshake, unless the client has made too many.
    package func admitHandshake(
        of client: ClientAddress, _ limit: RateLimit, at now: MonotonicTime
    ) -> RateOutcome {
        HandshakeRates(memory.base + Self.ratesOffset).admit(hash(client), limit, at: now)
    }
}
