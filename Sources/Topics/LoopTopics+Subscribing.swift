import EventLoop

extension LoopTopics {
    /// - Parameter policy: `nil`: the broker's.
    /// - Returns: false if it was subscribed to the topic already.
    package func subscribe(
        _ subscriber: any Subscriber, to name: String, _ policy: SlowSubscriberPolicy?
    ) throws(TopicError) -> Bool {
        try broker.check(name: name)
        let (existing, count) = search(subscriber, for: name)
        if existing != nil { return false }
        guard count < settings.subscriptionLimit
        else { throw .tooManySubscriptions(limit: settings.subscriptionLimit) }
        let (group, due) = broker.addSubscriber(to: name, subscriber.wireForm, self)
        deliver(due)
        let subscription = Subscription(subscriber, group, policy ?? settings.slowSubscribers)
        subscriber.add(subscription)
        group.add(subscription)
        if slowSubscribers[ObjectIdentifier(subscriber)] != nil { noteSlow(subscription) }
        return true
    }

    /// What was published before is delivered.
    ///
    /// - Returns: false if it was not subscribed.
    package func unsubscribe(_ subscriber: any Subscriber, from name: String) -> Bool {
        guard let subscription = search(subscriber, for: name).found else { return false }
        deliver(broker.removeSubscriber(of: subscription.group))
        finish(for: subscription, .soon)
        // Nothing could be sent later by way of a subscription.
        if subscription.next == nil && subscriber.firstSubscription === subscription {
            sendBacklog(of: subscriber)
            forgetSlow(subscriber)
        }
        remove(subscription)
        return true
    }

    /// The connection has ended: what it did not get is lost.
    package func end(of subscriber: any Subscriber) {
        // Others have not got what is being sent: nothing newer may overtake it now.
        if isSending { return loop.afterEvents { [self] in end(of: subscriber) } }
        while let subscription = subscriber.firstSubscription {
            deliver(broker.removeSubscriber(of: subscription.group))
            finish(for: subscription, .soon)
            remove(subscription)
        }
        forgetSlow(subscriber)
    }

    private func remove(_ subscription: Subscription) {
        subscription.group.remove(subscription)
        subscription.subscriber.remove(subscription)
    }

    /// The subscription to a topic, and how many there are before it.
    ///
    /// A plain loop: a sequence over the list costs twice as much for each, and all are visited
    /// for each further subscription.
    private func search(
        _ subscriber: any Subscriber, for name: String
    ) -> (found: Subscription?, count: Int) {
        let name = ExactText(name)
        var (next, count) = (subscriber.firstSubscription, 0)
        while let subscription = next {
            if subscription.group.topic.name == name { return (subscription, count) }
            next = subscription.next
            count += 1
        }
        return (nil, count)
    }
}
