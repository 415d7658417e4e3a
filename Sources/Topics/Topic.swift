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

    func count(in scope: TopicChanges.Scope) -> Int {
        switch scope {
        case .thisProcess: localCount
        case .allProcesses: localCount + remoteCount
        }
    }
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
        removeSlow(subscription)
    }

    func addSlow(_ subscription: Subscription) {
        subscription.isSlow = true
        subscription.slowIndex = UInt32(truncatingIfNeeded: slow.count)
        slow.append(subscription)
    }

    /// The last slow one takes its place.
    func removeSlow(_ subscription: Subscription) {
        let index = Int(subscription.slowIndex)
        guard subscription.isSlow, slow.indices.contains(index), slow[index] === subscription
        else { return }
        slow.swapAt(index, slow.count - 1)
        slow[index].slowIndex = UInt32(truncatingIfNeeded: index)
        slow.removeLast()
        subscription.isSlow = false
    }
}
