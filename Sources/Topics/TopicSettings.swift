/// The limits of topics, and what becomes of subscribers that read too slowly.
///
/// The command line's option for each is named beside it.
public struct TopicSettings: Sendable, Hashable {
    /// `--max-topic-name-size`. In bytes of UTF-8. 255 as in Centrifugo.
    public var nameByteLimit = 255
    /// `--max-subscriptions`. Topics of one connection. 128 as in Centrifugo.
    public var subscriptionLimit = 128
    /// `--max-topic-queue-size`. What may wait for one subscriber, the handler's own messages
    /// included; over it ``slowSubscribers`` decides. 1 MiB as in Centrifugo.
    public var queueByteLimit = 1 << 20
    /// `--topic-queue-timeout`. How long a message may wait for one subscriber before
    /// ``slowSubscribers`` decides. 10 s as in NATS.
    public var queueTimeout: Duration = .seconds(10)
    /// `--slow-subscribers`. For subscriptions and routes that do not say otherwise.
    public var slowSubscribers = SlowSubscriberPolicy.close
    /// The longest message that can be published, in bytes of payload. A server sets it to its
    /// `--max-message-size`.
    public var messageByteLimit = 1 << 20
    /// What other threads may have published that an event loop has not taken yet, because a
    /// handler blocks it; more is dropped, and its subscribers get the word of
    /// ``slowSubscribers``. 16 MiB.
    public var loopQueueByteLimit = 16 << 20

    public init() {}
}

/// What becomes of a subscriber for whom too much waits, or for too long.
public enum SlowSubscriberPolicy: String, Sendable, Hashable, CaseIterable {
    /// It is closed with 1013; it may connect again and ask for what it missed.
    case close
    /// It does not get the new message.
    case skipNewest = "skip-newest"
    /// It does not get the oldest messages that wait, as many as there is need for.
    case skipOldest = "skip-oldest"
    /// A new message takes the place of a waiting one of the same topic and key: prices, positions.
    /// Where that is not enough, as ``skipOldest``.
    case latest
}
