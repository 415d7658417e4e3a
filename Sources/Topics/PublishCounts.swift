/// What became of one publication, as far as this process knows at once.
///
/// Subscribers on other threads count as receivers; whether one of them turns out to be slow is
/// in ``TopicBroker/counters`` later. Other processes are not counted.
public struct PublishCounts: Sendable, Hashable {
    /// Subscribers that get the message: it is sent, or waits for them.
    public var receivers = 0
    /// Subscribers that do not get it because they read too slowly.
    public var skipped = 0
    /// Subscribers that are closed for that, or were closing.
    public var closed = 0
    /// Why nothing was published; `nil`: it was.
    public var refusal: TopicError?

    public init() {}
}

/// Sums over all publications since the broker was made.
///
/// Once all that was published is through: `delivered + skipped + closed` is the sum of the numbers
/// of subscribers that each publication had.
public struct TopicCounters: Sendable, Hashable {
    /// Publications in this process.
    public internal(set) var published = 0
    /// Messages handed to connections, to be sent behind what these have queued.
    public internal(set) var delivered = 0
    /// Messages left out for a subscriber that read too slowly.
    public internal(set) var skipped = 0
    /// Messages lost with a subscriber's connection: it closed, or was closed for being slow.
    public internal(set) var closed = 0

    public init() {}
}

/// A topic that has subscribers.
public struct TopicSummary: Sendable, Hashable {
    public let name: String
    /// In this process.
    public let localSubscriberCount: Int
    /// In all processes, as far as they told.
    public let subscriberCount: Int
    /// Messages that came to it here since it got its first subscriber.
    public let publishedCount: Int
}
