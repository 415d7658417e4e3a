import Synchronization

/// A table of words, one for each address, in sets of ``wayCount``: an address may have a word of
/// one set only, which its hash chooses. Lies in memory that processes share.
///
/// A word is a mark, further bits of the hash, above a value. So it is read and changed in one step
/// without a lock, which a process that dies could keep. Two addresses with the same set and mark
/// are taken for one: with 22 bits of mark, one in 260,000 where the set is full.
///
/// Any word may have any value: whoever shares the memory can write it.
struct AddressSets {
    typealias Word = Atomic<UInt64>

    /// A power of two.
    static let setCount = 8_192
    /// 16 words: two lines of a processor's cache.
    static let wayCount = 16
    /// How many addresses it holds at most: 131,072.
    static let addressLimit = setCount * wayCount
    /// So often a word that another thread has just changed is looked at again: more threads than
    /// that do not count one client at one moment.
    static let attemptLimit = 64
    /// 1 MiB.
    static let byteCount = addressLimit * MemoryLayout<UInt64>.size

    private let words: UnsafeMutablePointer<Word>
    private let valueBitCount: Int

    /// - Parameters:
    ///   - memory: ``byteCount`` bytes, aligned as a word, that stay there.
    ///   - valueBitCount: the lower bits of a word; the others are the mark.
    init(_ memory: UnsafeMutableRawPointer, valueBitCount: Int) {
        words = memory.assumingMemoryBound(to: Word.self)
        self.valueBitCount = valueBitCount
    }

    var valueLimit: UInt64 { 1 << valueBitCount - 1 }

    func value(_ word: UInt64) -> UInt64 { word & valueLimit }

    func word(_ hash: UInt64, _ value: UInt64) -> UInt64 {
        hash & ~valueLimit | min(value, valueLimit)
    }

    private func isMarked(_ word: UInt64, _ hash: UInt64) -> Bool {
        (word ^ hash) & ~valueLimit == 0
    }

    /// Where a word lies, and what it was when it was read.
    struct Place {
        let index: Int
        let word: UInt64
    }

    /// The word of an address that is not as good as none, or else one in whose place it may be
    /// put.
    ///
    /// - Parameter isAbsent: whether a value is as good as none.
    /// - Returns: `nil` for both: all words of the set are others'.
    func find(
        _ hash: UInt64, isAbsent: (_ value: UInt64) -> Bool
    ) -> (own: Place?, free: Place?) {
        var free: Place?
        for index in set(of: hash) {
            let word = words[index].load(ordering: .sequentiallyConsistent)
            if isAbsent(value(word)) {
                if free == nil { free = Place(index: index, word: word) }
            } else if isMarked(word, hash) {
                return (Place(index: index, word: word), nil)
            }
        }
        return (nil, free)
    }

    /// The values of all words that are the address's: two threads that began at the same moment
    /// may have made two.
    func sum(_ hash: UInt64) -> UInt64 {
        set(of: hash).reduce(0) { sum, index in
            let word = words[index].load(ordering: .sequentiallyConsistent)
            return isMarked(word, hash) ? sum &+ value(word) : sum
        }
    }

    /// - Returns: false if the word is not what it was any more.
    func replace(_ place: Place, by word: UInt64) -> Bool {
        words[place.index].compareExchange(
            expected: place.word, desired: word, ordering: .sequentiallyConsistent
        ).exchanged
    }

    private func set(of hash: UInt64) -> Range<Int> {
        // The lowest bits, which no mark has.
        let first = Int(hash & UInt64(Self.setCount - 1)) * Self.wayCount
        return first..<first + Self.wayCount
    }
}
