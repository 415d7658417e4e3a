import EventLoop

/// The messages that wait for one slow subscriber, in order: what its policies keep of them.
///
/// A value without I/O and without a clock.
struct Backlog {
    struct Entry {
        let publication: Publication
        let policy: SlowSubscriberPolicy
        let byteCount: Int
        let queued: MonotonicTime
    }

    /// Messages that wait at most, however small: as many of 64 bytes are 1 MiB, and each takes
    /// about as much beside its bytes.
    static let countLimit = 16_384

    /// What becomes of a message that comes.
    enum Outcome: Equatable {
        /// It waits; so many others were left out for it.
        case waits(skippedCount: Int)
        /// It is left out, and so are so many others.
        case skipped(skippedCount: Int)
        /// The subscriber is closed.
        case close
    }

    /// `nil`: was left out, or replaced.
    private var entries: [Entry?] = []
    private var head = 0
    /// By topic and key: the place of the entry that waits, with ``SlowSubscriberPolicy/latest``.
    private var latest: [TopicKey: Int] = [:]
    private(set) var count = 0
    private(set) var byteCount = 0

    private struct TopicKey: Hashable {
        let topic: ExactText
        let key: ExactText?

        init(_ publication: Publication) {
            topic = ExactText(publication.topic)
            key = publication.key.map { ExactText($0) }
        }
    }

    var isEmpty: Bool { count == 0 }

    /// The one that goes out next.
    var first: Entry? {
        mutating get {
            while head < entries.count, entries[head] == nil { head += 1 }
            return head < entries.count ? entries[head] : nil
        }
    }

    mutating func removeFirst() {
        guard first != nil else { return }
        _ = remove(at: head)
    }

    /// - Parameters:
    ///   - otherByteCount: what waits for the subscriber in front of these messages.
    ///   - byteLimit: for both together. One message always has room.
    ///   - timeout: how long the oldest message may wait.
    mutating func add(
        _ publication: Publication, _ policy: SlowSubscriberPolicy, byteCount: Int,
        at now: MonotonicTime, otherByteCount: Int, byteLimit: Int, timeout: Duration
    ) -> Outcome {
        let isReplaced = policy == .latest && removeReplaced(by: publication)
        var skippedCount = isReplaced ? 1 : 0
        func isFull() -> Bool {
            if count >= Self.countLimit { return true }
            let waiting = self.byteCount + otherByteCount
            return waiting > 0 && waiting + byteCount > byteLimit
        }
        switch policy {
        case .close:
            if isFull() || isOverdue(at: now, timeout) { return .close }
        case .skipNewest:
            if isFull() || isOverdue(at: now, timeout) { return .skipped(skippedCount: 0) }
        case .skipOldest, .latest:
            while isFull() || isOverdue(at: now, timeout) {
                guard removeOldestSkippable() else { break }
                skippedCount += 1
            }
            if isFull() { return .skipped(skippedCount: skippedCount) }
        }
        let entry = Entry(
            publication: publication, policy: policy, byteCount: byteCount, queued: now)
        append(entry)
        return .waits(skippedCount: skippedCount)
    }

    /// Whether the oldest message has waited for too long.
    mutating func isOverdue(at now: MonotonicTime, _ timeout: Duration) -> Bool {
        first.map { now >= $0.queued + timeout } ?? false
    }

    private mutating func append(_ entry: Entry) {
        if entry.policy == .latest {
            latest[TopicKey(entry.publication)] = entries.count
        }
        entries.append(entry)
        count += 1
        byteCount += entry.byteCount
    }

    private mutating func removeReplaced(by publication: Publication) -> Bool {
        latest[TopicKey(publication)].map { remove(at: $0) } ?? false
    }

    /// Leaves out the oldest message that may be: one whose subscriber asked for that.
    private mutating func removeOldestSkippable() -> Bool {
        guard first != nil else { return false }
        let index = entries[head...].firstIndex {
            $0.map { $0.policy == .skipOldest || $0.policy == .latest } ?? false
        }
        guard let index else { return false }
        return remove(at: index)
    }

    private mutating func remove(at index: Int) -> Bool {
        guard entries.indices.contains(index), let entry = entries[index] else { return false }
        entries[index] = nil
        count -= 1
        byteCount -= entry.byteCount
        if entry.policy == .latest { latest[TopicKey(entry.publication)] = nil }
        if entries.count - count > count + Self.emptyPlaceLimit { compact() }
        return true
    }

    /// 32 places of removed messages are kept, and as many as messages wait.
    static let emptyPlaceLimit = 32

    /// Gives back the places of removed messages: wherever they are, since those behind a message
    /// that stays may be replaced for as long as the subscriber reads nothing.
    private mutating func compact() {
        entries = entries.filter { $0 != nil }
        head = 0
        latest = [:]
        for (index, entry) in entries.enumerated() {
            if let entry, entry.policy == .latest { latest[TopicKey(entry.publication)] = index }
        }
    }

    /// Messages that wait, and places of such that were removed.
    var placeCount: Int { entries.count }
}
