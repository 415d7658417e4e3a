import EventLoop
import WebSocketProtocol

/// A connection, as topics see it. Used on its loop's thread.
package protocol Subscriber: AnyObject {
    /// The first of its subscriptions; each leads to the next one. Kept here, changed by
    /// ``LoopTopics``.
    var firstSubscription: Subscription? { get set }
    var wireForm: WireForm { get }
    /// Whether it is used on this loop's thread. From any thread.
    func belongs(to loop: Loop) -> Bool
    /// Whether messages can still be sent.
    var takesMessages: Bool { get }
    /// What waits to be sent, without what ``LoopTopics`` keeps for it. In bytes.
    var queuedByteCount: Int { get }
    /// Whether its handler is in the middle of a message that it sends in pieces.
    var isInsideSentMessage: Bool { get }

    /// Sends frames of whole messages.
    func send(
        _ frames: SharedBytes, _ range: Range<Int>, of messages: MessageSum, _ mode: SendMode
    ) -> SendResult
    /// Sends a message in a form of its own.
    func sendByItself(_ message: Message, _ mode: SendMode) -> SendResult
    /// Asks for ``LoopTopics/pause(of:)`` when its queue has fallen to its mark.
    func askForPause()
    /// Closes because messages were lost for it.
    func closeBehind()
}

/// Some messages: how many, and their bytes without frames and compression.
package struct MessageSum: Equatable {
    package var count: Int
    package var byteCount: Int
}

package enum SendMode {
    /// At once, if nothing is queued.
    case now
    /// At the end of the turn, together with what follows.
    case soon
    /// As `soon`, and even if the queue is over its mark.
    case inAnyCase
}

package enum SendResult {
    case sent
    /// And the queue is over its mark now.
    case sentAndFull
    /// Nothing was sent: the queue was over its mark, or the handler is in the middle of a message.
    case full
    /// Nothing can be sent any more.
    case closed
}

/// A connection's subscription to a topic. Belongs to the loop's thread.
///
/// 68 bytes, so that it takes 80 of memory: with its places in two lists that is below 100.
package final class Subscription {
    let subscriber: any Subscriber
    let group: SubscriberGroup
    @exclusivity(unchecked) package fileprivate(set) var next: Subscription?
    /// Up to where in the group's batches it has got everything: see ``SubscriberGroup/base``.
    @exclusivity(unchecked) var start: Int
    /// Its place among the group's members.
    @exclusivity(unchecked) var index: UInt32 = 0
    let policy: SlowSubscriberPolicy
    /// Whether it is among the group's slow ones.
    @exclusivity(unchecked) var isSlow = false
    /// Its place among these.
    @exclusivity(unchecked) var slowIndex: UInt32 = 0

    init(_ subscriber: any Subscriber, _ group: SubscriberGroup, _ policy: SlowSubscriberPolicy) {
        self.subscriber = subscriber
        self.group = group
        self.policy = policy
        start = group.end
    }
}

extension Subscriber {
    /// All subscriptions, the latest first.
    var subscriptions: some Sequence<Subscription> {
        sequence(state: firstSubscription) { next in
            defer { next = next?.next }
            return next
        }
    }

    func subscription(to topic: Topic) -> Subscription? {
        var next = firstSubscription
        while let subscription = next {
            if subscription.group.topic === topic { return subscription }
            next = subscription.next
        }
        return nil
    }

    func add(_ subscription: Subscription) {
        subscription.next = firstSubscription
        firstSubscription = subscription
    }

    func remove(_ subscription: Subscription) {
        if firstSubscription === subscription {
            firstSubscription = subscription.next
        } else {
            subscriptions.first { $0.next === subscription }?.next = subscription.next
        }
        subscription.next = nil
    }
}
