import Counting
import EventLoop
import WebSocketProtocol

/// The subscribers on one loop: delivers to them what the broker has for the loop.
///
/// What is published to a topic in one turn is put together in a ``Batch``, and goes to each
/// subscriber in one piece when all that was ready has had its turn: publishing costs the same for
/// one subscriber and for thousands, until then. One topic at a time has a batch, so that a
/// subscriber of two gets everything in the order in which it was published.
///
/// A subscriber that cannot take more is slow until its queue has fallen to its mark. What comes
/// for it meanwhile waits in a ``Backlog``, where its policy decides.
///
/// `@unchecked Sendable`: `inbox` is touched under the broker's lock only, all else that changes on
/// the loop's thread only.
package final class LoopTopics: @unchecked Sendable {
    package let broker: TopicBroker
    let loop: Loop
    let pool: CompressionPool
    let counts: LoopCounts
    @exclusivity(unchecked) var inbox: LoopInbox

    /// The topic that has batches now.
    @exclusivity(unchecked) private var openTopic: Topic?
    @exclusivity(unchecked) private var openGroups: [SubscriberGroup] = []
    /// Whether ``finishBatches(_:)`` is called at the end of this turn.
    @exclusivity(unchecked) private var isFinishDue = false
    /// For the next group.
    @exclusivity(unchecked) private var spareBatch: Batch?
    @exclusivity(unchecked) var slowSubscribers: [ObjectIdentifier: SlowSubscriber] = [:]
    @exclusivity(unchecked) var sweepTimer: EventLoop.Timer?
    /// Whether a subscriber writes because of a call of ours. What it tells us meanwhile, such as
    /// its end, waits: the call is in the middle of what it does for others.
    @exclusivity(unchecked) var isSending = false

    /// 64 KiB in a batch go out at once: as much as a connection queues before it has to wait.
    private static let batchByteLimit = 65_536
    /// A message of 16 KiB goes out by itself: a copy of it would take longer than the call that
    /// it saves.
    private static let longByteCount = 16_384

    /// - Parameters:
    ///   - pool: of the loop's thread.
    ///   - cells: ``TopicCells/count``, and what keeps their memory; `nil`: of its own.
    package init(
        _ broker: TopicBroker, on loop: Loop, _ pool: CompressionPool,
        cells: (cells: CounterCells, owner: AnyObject & Sendable)? = nil
    ) {
        counts = LoopCounts(cells)
        self.broker = broker
        self.loop = loop
        self.pool = pool
        inbox = LoopInbox(byteLimit: broker.settings.loopQueueByteLimit)
        broker.join(counts)
    }

    /// The loop has no connection any more, and gets none.
    package func leave() {
        sweepTimer.map(loop.cancel)
        broker.leave(counts)
    }

    package var settings: TopicSettings { broker.settings }
    var isCurrent: Bool { loop.isCurrent }
}

// MARK: - Delivering

extension LoopTopics {
    /// Has the inbox delivered: now, on the loop's thread. From any thread.
    func takeInboxSoon() {
        if isCurrent { return deliver(broker.takeInbox(of: self)) }
        loop.submit { [self] in deliver(broker.takeInbox(of: self)) }
    }

    func deliver(_ due: LoopInbox) {
        var ignored = PublishCounts()
        for item in due.items {
            deliver(item.publication, to: item.group, except: item.publisher, &ignored)
        }
        for (group, count) in due.missed.values { deliverNotice(ofMissed: count, to: group) }
    }

    /// - Parameter counts: counts all members as receivers, and is corrected.
    func deliver(
        _ publication: Publication, to group: SubscriberGroup, except publisher: (any Subscriber)?,
        _ counts: inout PublishCounts
    ) {
        if openTopic !== group.topic {
            finishBatches(.soon)
            openTopic = group.topic
        }
        let hole = publisher.flatMap { subscription(of: $0, in: group) }
        if hole != nil { counts.receivers -= 1 }
        if !group.slow.isEmpty {
            // Backwards: one that is closed takes itself out.
            for subscription in group.slow.reversed() where subscription !== hole {
                deliver(publication, toSlow: subscription, &counts)
            }
        }
        if group.form == .own {
            deliverOneByOne(publication, to: group, hole)
        } else {
            append(publication, to: group, hole)
        }
    }

    /// That of another loop's connection is not looked for: it changes on another thread.
    private func subscription(
        of publisher: any Subscriber, in group: SubscriberGroup
    ) -> Subscription? {
        guard publisher.belongs(to: loop),
            let subscription = publisher.subscription(to: group.topic)
        else { return nil }
        return subscription.group === group ? subscription : nil
    }

    private func append(
        _ publication: Publication, to group: SubscriberGroup, _ hole: Subscription?
    ) {
        let form = form(of: publication, group.form)
        if publication.byteCount >= Self.longByteCount {
            finish(group, .now)
            begin(group, Batch(publication.frame(form, pool), publication))
            hole?.start = group.end
            return finish(group, .now)
        }
        let batch = group.batch ?? begin(group, spareBatch.take() ?? Batch())
        if let hole { finish(for: hole, .soon) }
        if form == .plain {
            batch.append(plain: publication)
        } else {
            batch.append(publication, publication.frame(form, pool))
        }
        hole?.start = group.end
        if batch.bytes.count >= Self.batchByteLimit { finish(group, .now) }
    }

    /// Below the threshold nothing is compressed.
    func form(of publication: Publication, _ form: WireForm) -> WireForm {
        publication.byteCount < pool.settings.thresholdByteCount ? .plain : form
    }

    private func deliverOneByOne(
        _ publication: Publication, to group: SubscriberGroup, _ hole: Subscription?
    ) {
        for subscription in group.members.reversed()
        where subscription !== hole && !subscription.isSlow {
            isSending = true
            let result = subscription.subscriber.sendByItself(publication.message, .soon)
            isSending = false
            note(result, of: subscription, [publication])
        }
    }
}

// MARK: - Batches

extension LoopTopics {
    @discardableResult
    private func begin(_ group: SubscriberGroup, _ batch: Batch) -> Batch {
        group.batch = batch
        if !openGroups.contains(where: { $0 === group }) { openGroups.append(group) }
        if !isFinishDue {
            isFinishDue = true
            loop.afterEvents { [self] in
                isFinishDue = false
                finishBatches(.now)
            }
        }
        return batch
    }

    private func finishBatches(_ mode: SendMode) {
        for group in openGroups { finish(group, mode) }
        openGroups.removeAll(keepingCapacity: true)
        openTopic = nil
    }

    /// Sends a group's batch to all who have not got it.
    private func finish(_ group: SubscriberGroup, _ mode: SendMode) {
        guard let batch = group.batch.take() else { return }
        let base = group.base
        group.base = base &+ batch.bytes.count
        // Backwards: one that fails takes itself out, and the last one gets its place.
        var index = group.members.count - 1
        while index >= 0 {
            if index < group.members.count {
                let subscription = group.members[index]
                if !subscription.isSlow { send(batch, base, to: subscription, mode) }
            }
            index &-= 1
        }
        batch.removeAll()
        spareBatch = batch
    }

    /// Sends what one subscriber has not got of its group's batch.
    func finish(for subscription: Subscription, _ mode: SendMode) {
        guard let batch = subscription.group.batch, !subscription.isSlow else { return }
        send(batch, subscription.group.base, to: subscription, mode)
    }

    private func send(
        _ batch: Batch, _ base: Int, to subscription: Subscription, _ mode: SendMode
    ) {
        let start = max(0, subscription.start &- base)
        let end = batch.bytes.count
        subscription.start = base &+ end
        guard start < end else { return }
        let sum = batch.sum(from: start)
        isSending = true
        let result = subscription.subscriber.send(batch.bytes, start..<end, of: sum, mode)
        isSending = false
        switch result {
        case .sent: counts.addDelivered(sum.count)
        default: note(result, of: subscription, batch.publications(from: start))
        }
    }

    private func note(
        _ result: SendResult, of subscription: Subscription, _ publications: [Publication]
    ) {
        switch result {
        case .sent: counts.addDelivered(publications.count)
        case .sentAndFull:
            counts.addDelivered(publications.count)
            becomeSlow(subscription.subscriber)
        case .full:
            becomeSlow(subscription.subscriber)
            var ignored = PublishCounts()
            for publication in publications {
                deliver(publication, toSlow: subscription, &ignored)
            }
        case .closed: counts.addClosed(publications.count)
        }
    }

    /// The subscriber is about to write: what was published before goes first.
    package func sendWaiting(to subscriber: any Subscriber) {
        guard !isSending, !subscriber.isInsideSentMessage else { return }
        for subscription in subscriber.subscriptions { finish(for: subscription, .soon) }
        sendBacklog(of: subscriber)
    }
}
