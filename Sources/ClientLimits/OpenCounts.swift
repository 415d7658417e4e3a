/// For each client, how many of its connections the process of one place has open. Only that
/// process writes them, and all read: what a process counted goes with its place.
struct OpenCounts {
    private let sets: AddressSets

    /// 24 bits: 16 million connections.
    private static let valueBitCount = 24

    init(_ memory: UnsafeMutableRawPointer) {
        sets = AddressSets(memory, valueBitCount: Self.valueBitCount)
    }

    func count(_ hash: UInt64) -> Int { Int(clamping: sets.sum(hash)) }

    /// - Returns: false if there is no room for the client.
    func add(_ hash: UInt64) -> Bool {
        for _ in 0..<AddressSets.attemptLimit {
            let (own, free) = sets.find(hash) { $0 == 0 }
            guard let place = own ?? free else { return false }
            let count = own.map { sets.value($0.word) } ?? 0
            guard count < sets.valueLimit else { return false }
            if sets.replace(place, by: sets.word(hash, count + 1)) { return true }
        }
        return false
    }

    /// Of what ``add(_:)`` counted. No effect if that has been cleared meanwhile.
    func remove(_ hash: UInt64) {
        while let own = sets.find(hash, isAbsent: { $0 == 0 }).own {
            let count = sets.value(own.word) - 1
            if sets.replace(own, by: count == 0 ? 0 : sets.word(hash, count)) { return }
        }
    }
}
