import EventLoop

/// A topic that has subscribers, here or in another process.
///
/// `@unchecked Sendable`: what changes is touched under the broker's lock only.
final class Topic: @unchecked Sendable {
    let name: ExactText
    /// One for each loop and form that has subscribers.
    @exclusivity(unchecked) var groups: [SubscriberGroup] = []
    @exclusivity(unchecked) var localCount = 0
    @exclusivity(unchecked) var remoteCount = 0
    @exclusivity(unchecked) var publishedCount = 0

    init(_ name: ExactText) { self.name = name }

    var isUnused: Bool { localCount == 0 && remoteCount == 0 }
    var summary: TopicSummary {
        TopicSummary(
            name: name.text, localSubscriberCount: localCount,
            subscriberCount: localCount + remoteCount, publishedCount: publishedCount)
    }
}

/// The subscribers of a topic on one loop that get the same bytes.
///
/// `@unchecked Sendable`: `memberCount` is touched under the broker's lock only, all else that
/// changes on the loop's thread only.
final class SubscriberGroup: @unchecked Sendable {
    let topic: Topic
    unowned let owner: LoopTopics
    let form: WireForm
    /// For publishers on other threads.
    @exclusivity(unchecked) var memberCount = 0

    @exclusivity(unchecked) var members: [Subscription] = []
    /// Those that get each message by itself, because something waits for them.
    @exclusivity(unchecked) var slow: [Subscription] = []
    /// What is published in this turn, unless there is nothing.
    @exclusivity(unchecked) var batch: Batch?
    /// How many bytes were in all batches before this one: positions go on counting, so that the
    /// members need not be visited when a batch begins.
    @exclusivity(unchecked) var base = 0
    var end: Int { base &+ (batch?.bytes.count ?? 0) }

    init(_ topic: Topic, _ owner: LoopTopics, _ form: WireForm) {
        self.topic = topic
        self.owner = owner
        self.form = form
    }

    func add(_ subscription: Subscription) {
        subscription.index = UInt32(truncatingIfNeeded: members.count)
        members.append(subscription)
    }

    /// The last member takes its place.
    func remove(_ subscription: Subscription) {
        let index = Int(subscription.index)
        guard members.indices.contains(index), members[index] === subscription else { return }
        members.swapAt(index, members.count - 1)
        members[index].index = UInt32(truncatingIfNeeded: index)
        members.removeLast()
        if subscription.isSlow { slow.removeAll { $0 === subscription } }
    }
}

/// What was published to a topic in one turn, as bytes that all members of a group get.
struct Batch {
    private(set) var bytes: SharedBytes
    private var entries: [Entry] = []

    private struct Entry {
        let publication: Publication
        let end: Int
    }

    init(_ bytes: SharedBytes) { self.bytes = bytes }

    /// A message that goes out by itself, from where it lies.
    init(_ frame: SharedBytes, _ publication: Publication) {
        bytes = frame
        entries = [Entry(publication: publication, end: frame.count)]
    }

    mutating func append(_ publication: Publication, _ frame: SharedBytes) {
        bytes.append(frame)
        entries.append(Entry(publication: publication, end: bytes.count))
    }

    func messageCount(from start: Int) -> Int {
        start == 0 ? entries.count : entries.count { $0.end > start }
    }

    func publications(from start: Int) -> [Publication] {
        entries.filter { $0.end > start }.map(\.publication)
    }

    /// The memory, for another batch; `nil`: a stream has a part of it still.
    mutating func takeBytes() -> SharedBytes? {
        guard isKnownUniquelyReferenced(&bytes) else { return nil }
        bytes.removeAll()
        return bytes
    }
}
