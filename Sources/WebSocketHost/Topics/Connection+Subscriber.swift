import EventLoop
import Topics
import WebSocketConnection
import WebSocketProtocol

// A connection, as topics see it. Its companion is the first of its subscriptions.

extension Connection: Subscriber {
    package var firstSubscription: Subscription? {
        get { companion.map { unsafeDowncast($0, to: Subscription.self) } }
        set { companion = newValue }
    }

    package var wireForm: WireForm { WireForm(compressionParameters) }

    package func belongs(to loop: Loop) -> Bool { self.loop === loop }

    package func send(
        _ frames: SharedBytes, _ range: Range<Int>, of messages: MessageSum, _ mode: SendMode
    ) -> SendResult {
        guard takesMessages else { return .closed }
        if isInsideSentMessage || isOverDrainMark && mode != .inAnyCase { return .full }
        send(
            frames, range, messageCount: messages.count, byteCount: messages.byteCount,
            isUrgent: mode == .now)
        return result
    }

    package func sendByItself(_ message: Message, _ mode: SendMode) -> SendResult {
        guard takesMessages else { return .closed }
        if isInsideSentMessage || isOverDrainMark && mode != .inAnyCase { return .full }
        // Over the limit of the queue it waits, as behind the mark.
        return sendByItself(message) ? result : .full
    }

    /// A stream that could not send has ended the connection.
    private var result: SendResult {
        if hasEnded { return .closed }
        return isOverDrainMark ? .sentAndFull : .sent
    }

    package func closeBehind() {
        closeAsTooSlow(reason: "too far behind")
    }
}

/// Tells a loop's topics what happens on the connections of a route.
final class TopicCompanions: ConnectionCompanions {
    let topics: LoopTopics
    /// Of the route; `nil`: the broker's.
    let slowSubscribers: SlowSubscriberPolicy?

    init(_ topics: LoopTopics, slowSubscribers: SlowSubscriberPolicy?) {
        self.topics = topics
        self.slowSubscribers = slowSubscribers
    }

    func sendWaiting(on connection: Connection) { topics.sendWaiting(to: connection) }
    func pause(of connection: Connection) { topics.pause(of: connection) }
    func end(of connection: Connection) { topics.end(of: connection) }
}
