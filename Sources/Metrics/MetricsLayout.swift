/// Where what lies in the memory of the metrics.
///
/// | from | what |
/// |---|---|
/// | 0 | the header: ``magic``, the digest of the table of metrics, how much of the rest is taken |
/// | ``routesOffset`` | for each route one word: where its name lies and how long it is |
/// | ``namesOffset`` | the names, one behind the other |
/// | ``blocksOffset`` | blocks of counters |
///
/// Nothing that was taken is given back, so whoever takes something only raises a number, without a
/// lock: a process that dies meanwhile leaves a gap that nobody looks at, and no lock. What is
/// taken is looked at once its first word says that it is ready.
///
/// A block belongs to one writer for good: a loop of a place, see ``MetricsPlace``. The process
/// that comes to a place after another counts on in the same blocks.
enum MetricsLayout {
    /// `WSHMETR1`
    static let magic: UInt64 = 0x5753_484D_4554_5231
    static let wordByteCount = 8

    /// The words of the header.
    enum Header: Int { case magic, digest, routeCount, nameByteCount, blockCount }
    private static let headerByteCount = 4_096

    /// 4,096 routes, over all versions of the handlers that a supervisor has seen; the others are
    /// counted as ``MetricsMemory/otherRoute``.
    static let routeLimit = 4_096
    static let routesOffset = headerByteCount

    /// 1 MiB of names; a name of more than 1,024 bytes is counted as ``MetricsMemory/otherRoute``.
    static let namesByteLimit = 1 << 20
    static let nameByteLimit = 1_024
    static let namesOffset = routesOffset + routeLimit * wordByteCount

    /// 512 bytes: a line of the processor's cache for the key, and seven for cells.
    static let blockByteCount = 512
    static let cellsOffset = 64
    static let cellLimit = (blockByteCount - cellsOffset) / wordByteCount
    static let blocksOffset = namesOffset + namesByteLimit

    /// 131,072 blocks, of which memory is used once they are written: 1,000 routes on 16 loops of
    /// 8 processes. Counts for which there is no block are not shown.
    static let blockLimit = 131_072
    static let byteCount = blocksOffset + blockLimit * blockByteCount

    /// For a server that shares its memory with nobody: 1,000 routes on 8 loops, and 16,384 blocks
    /// at most.
    static let ownBlockLimit = 16_384
    static let ownByteCount = blocksOffset + ownBlockLimit * blockByteCount
}

/// What a block of counters counts, as its first word says.
struct BlockKey: Hashable {
    enum Kind: UInt64 { case route, loop, process }

    var kind: Kind
    /// The place of the process that counts in it.
    var place: Int
    /// The loop of that process; 0 in a block of the process.
    var lane = 0
    /// Of a block of the kind `route`.
    var route = 0

    static let placeLimit = 256
    static let laneLimit = 4_096

    private static let ready: UInt64 = 1 << 63

    /// Never zero.
    var word: UInt64 {
        Self.ready | kind.rawValue << 48 | UInt64(place) << 40 | UInt64(lane) << 24 | UInt64(route)
    }

    init(kind: Kind, place: Int, lane: Int = 0, route: Int = 0) {
        self.kind = kind
        self.place = place
        self.lane = lane
        self.route = route
    }

    /// - Returns: `nil` for a block that is not ready, or that says what cannot be.
    init?(_ word: UInt64) {
        guard word & Self.ready != 0, let kind = Kind(rawValue: word >> 48 & 0x7FFF) else {
            return nil
        }
        self.kind = kind
        place = Int(word >> 40 & 0xFF)
        lane = Int(word >> 24 & 0xFFFF)
        route = Int(word & 0xFF_FFFF)
        guard lane < Self.laneLimit, route < MetricsLayout.routeLimit else { return nil }
    }
}
