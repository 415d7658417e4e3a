import EventLoop
import WebSocketProtocol

/// What was published to a topic in one turn, as bytes that all members of a group get.
///
/// A loop uses few of them, one after the other: their memory is kept.
final class Batch {
    @exclusivity(unchecked) private(set) var bytes: SharedBytes
    @exclusivity(unchecked) private var entries: [Entry] = []
    /// Of all messages, without frames and compression.
    @exclusivity(unchecked) private var byteCount = 0

    private struct Entry {
        let publication: Publication
        let end: Int
    }

    init() { bytes = SharedBytes() }

    /// A message that goes out by itself, from where it lies.
    init(_ frame: SharedBytes, _ publication: Publication) {
        bytes = frame
        note(publication)
    }

    func append(_ publication: Publication, _ frame: SharedBytes) {
        bytes.append(frame)
        note(publication)
    }

    /// Neither masked nor compressed.
    func append(plain publication: Publication) {
        bytes.append { publication.message.appendFrame(to: &$0) }
        note(publication)
    }

    private func note(_ publication: Publication) {
        entries.append(Entry(publication: publication, end: bytes.count))
        byteCount += publication.byteCount
    }

    /// The messages behind `start`.
    func sum(from start: Int) -> MessageSum {
        if start == 0 { return MessageSum(count: entries.count, byteCount: byteCount) }
        let rest = entries.lazy.filter { $0.end > start }
        return rest.reduce(into: MessageSum(count: 0, byteCount: 0)) { sum, entry in
            sum.count += 1
            sum.byteCount += entry.publication.byteCount
        }
    }

    func publications(from start: Int) -> [Publication] {
        entries.filter { $0.end > start }.map(\.publication)
    }

    /// Empty again, for more of the same length. What a stream has a part of stays there.
    func removeAll() {
        if isKnownUniquelyReferenced(&bytes) { bytes.removeAll() } else { bytes = SharedBytes() }
        entries.removeAll(keepingCapacity: true)
        byteCount = 0
    }
}
