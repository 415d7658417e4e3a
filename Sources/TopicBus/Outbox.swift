import EventLoop
import Topics

/// What happened in this process since the bus's loop came round last. Filled under the broker's
/// lock, from any thread.
struct Outbox {
    private(set) var publications: [Publication] = []
    private var byteCount = 0
    /// Once there are any, all that follows is left out too, so that nothing overtakes the word of
    /// it.
    private(set) var missed = MissedMessages()
    private(set) var counts = CountChanges()
    /// Whether the loop has been asked to come.
    private var isCalled = false

    /// What a short publication takes in memory beside its texts and bytes: 128.
    private static let entryByteCount = 128

    /// - Returns: whether the loop has to be asked to come.
    mutating func add(_ publication: Publication, byteLimit: Int) -> Bool {
        let cost =
            publication.byteCount + publication.topic.utf8.count
            + (publication.key?.utf8.count ?? 0) + Self.entryByteCount
        if missed.isEmpty && (byteCount == 0 || byteCount + cost <= byteLimit) {
            byteCount += cost
            publications.append(publication)
        } else {
            missed.add(ExactText(publication.topic))
        }
        return call()
    }

    /// As ``add(_:byteLimit:)``.
    mutating func note(count: Int, of topic: String) -> Bool {
        counts.note(ExactText(topic), count)
        return call()
    }

    private mutating func call() -> Bool {
        defer { isCalled = true }
        return !isCalled
    }

    /// Empties it.
    mutating func take() -> Outbox {
        defer { self = Outbox() }
        return self
    }
}
