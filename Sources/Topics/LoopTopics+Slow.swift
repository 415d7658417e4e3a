import EventLoop

/// A subscriber that could not take more.
struct SlowSubscriber {
    let subscriber: any Subscriber
    var backlog = Backlog()
}

extension LoopTopics {
    /// How often it is looked whether messages wait for too long.
    private static let sweepPause: Duration = .seconds(1)

    /// What is published for it waits from now on, until its queue has fallen to its mark.
    func becomeSlow(_ subscriber: any Subscriber) {
        let id = ObjectIdentifier(subscriber)
        guard slowSubscribers[id] == nil else { return }
        slowSubscribers[id] = SlowSubscriber(subscriber: subscriber)
        counts.addWaiting()
        for subscription in subscriber.subscriptions { noteSlow(subscription) }
        subscriber.askForPause()
        sweepLater()
    }

    func noteSlow(_ subscription: Subscription) {
        subscription.group.addSlow(subscription)
    }

    private func becomeQuick(_ subscriber: any Subscriber) {
        slowSubscribers[ObjectIdentifier(subscriber)] = nil
        for subscription in subscriber.subscriptions {
            subscription.start = subscription.group.end
            subscription.group.removeSlow(subscription)
        }
    }

    /// What waits for it cannot be sent any more.
    func forgetSlow(_ subscriber: any Subscriber) {
        guard let slow = slowSubscribers.removeValue(forKey: ObjectIdentifier(subscriber)) else {
            return
        }
        counts.addClosed(slow.backlog.count)
    }

    func deliver(
        _ publication: Publication, toSlow subscription: Subscription,
        _ publishCounts: inout PublishCounts
    ) {
        let subscriber = subscription.subscriber
        let id = ObjectIdentifier(subscriber)
        guard subscriber.takesMessages else {
            publishCounts.receivers -= 1
            publishCounts.closed += 1
            return counts.addClosed(1)
        }
        let outcome = slowSubscribers[id]?.backlog.add(
            publication, subscription.policy, byteCount: byteCount(of: publication, subscription),
            at: loop.now, otherByteCount: subscriber.queuedByteCount,
            byteLimit: settings.queueByteLimit, timeout: settings.queueTimeout)
        switch outcome {
        case .waits(let skippedCount):
            counts.addSkipped(skippedCount)
        case .skipped(let skippedCount):
            publishCounts.receivers -= 1
            publishCounts.skipped += 1
            counts.addSkipped(skippedCount + 1)
        case .close, nil:
            publishCounts.receivers -= 1
            publishCounts.closed += 1
            counts.addClosed(1)
            close(subscriber)
        }
    }

    private func byteCount(of publication: Publication, _ subscription: Subscription) -> Int {
        let form = subscription.group.form
        if form == .own { return publication.byteCount }
        return publication.frame(self.form(of: publication, form), pool).count
    }

    /// Closes a subscriber; what waits for it is lost.
    private func close(_ subscriber: any Subscriber) {
        if let slow = slowSubscribers[ObjectIdentifier(subscriber)] {
            counts.addClosed(slow.backlog.count)
            slowSubscribers[ObjectIdentifier(subscriber)]?.backlog = Backlog()
        }
        guard subscriber.takesMessages else { return }
        counts.addClosedSubscriber()
        isSending = true
        subscriber.closeBehind()
        isSending = false
    }

    /// So many publications were lost before they came here.
    func deliverNotice(ofMissed count: Int, to group: SubscriberGroup) {
        for subscription in group.members.reversed() {
            finish(for: subscription, .soon)
            if subscription.policy == .close {
                counts.addClosed(count)
                close(subscription.subscriber)
            } else {
                counts.addSkipped(count)
            }
        }
    }
}

// MARK: - What waits goes out

extension LoopTopics {
    /// The subscriber can take more.
    package func pause(of subscriber: any Subscriber) {
        guard slowSubscribers[ObjectIdentifier(subscriber)] != nil,
            !subscriber.isInsideSentMessage
        else { return }
        // What is being sent still stands in the backlog.
        if isSending { return subscriber.askForPause() }
        if sendFromBacklog(of: subscriber, .soon) {
            becomeQuick(subscriber)
        } else {
            subscriber.askForPause()
        }
    }

    /// Sends all that waits for a subscriber, behind what is queued.
    func sendBacklog(of subscriber: any Subscriber) {
        guard slowSubscribers[ObjectIdentifier(subscriber)]?.backlog.isEmpty == false else {
            return
        }
        _ = sendFromBacklog(of: subscriber, .inAnyCase)
    }

    /// - Returns: whether nothing waits any more, and the subscriber can take more.
    private func sendFromBacklog(of subscriber: any Subscriber, _ mode: SendMode) -> Bool {
        let id = ObjectIdentifier(subscriber)
        while let entry = slowSubscribers[id]?.backlog.first {
            switch send(entry.publication, to: subscriber, mode) {
            case .sent: take(id)
            case .sentAndFull:
                take(id)
                if mode != .inAnyCase { return false }
            case .full, .closed: return false
            }
        }
        return mode != .inAnyCase
    }

    private func take(_ id: ObjectIdentifier) {
        slowSubscribers[id]?.backlog.removeFirst()
        counts.addDelivered(1)
    }

    private func send(
        _ publication: Publication, to subscriber: any Subscriber, _ mode: SendMode
    ) -> SendResult {
        isSending = true
        defer { isSending = false }
        if subscriber.wireForm == .own { return subscriber.sendByItself(publication.message, mode) }
        let frame = publication.frame(form(of: publication, subscriber.wireForm), pool)
        let sum = MessageSum(count: 1, byteCount: publication.byteCount)
        return subscriber.send(frame, 0..<frame.count, of: sum, mode)
    }

    private func sweepLater() {
        guard sweepTimer == nil else { return }
        let timer = loop.makeTimer { [unowned self] in sweep() }
        sweepTimer = timer
        loop.schedule(timer, after: Self.sweepPause)
    }

    /// Closes those for whom something has waited for too long, if that is their policy: others are
    /// looked at when the next message comes.
    private func sweep() {
        sweepTimer = nil
        for (id, slow) in slowSubscribers {
            guard let entry = slowSubscribers[id]?.backlog.first, entry.policy == .close,
                loop.now >= entry.queued + settings.queueTimeout
            else { continue }
            close(slow.subscriber)
        }
        if !slowSubscribers.isEmpty { sweepLater() }
    }
}
