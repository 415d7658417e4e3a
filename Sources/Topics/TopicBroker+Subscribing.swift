import EventLoop
import Synchronization

// What the loops tell their broker: under its lock, on a loop's thread.

extension TopicBroker {
    /// A loop begins to take part.
    func join(_ counts: LoopCounts) { state.withLock { $0.loopCounts.append(counts) } }

    /// It has no connection any more, and gets none.
    func leave(_ counts: LoopCounts) {
        state.withLock { state in
            guard let index = state.loopCounts.firstIndex(where: { $0 === counts }) else { return }
            state.loopCounts.remove(at: index)
            state.pastCounters.add(counts.values)
        }
    }

    /// Counts a subscriber from now on.
    ///
    /// - Returns: the group that it belongs to, and what the loop has to deliver before it is
    ///   there.
    func addSubscriber(
        to name: String, _ form: WireForm, _ loop: LoopTopics
    ) -> (group: SubscriberGroup, due: LoopInbox) {
        let name = ExactText(name)
        return state.withLock { state in
            let topic = state.topics[name] ?? Topic(name)
            state.topics[name] = topic
            let group =
                topic.groups.first { $0.owner === loop && $0.form == form }
                ?? SubscriberGroup(topic, loop, form)
            if group.memberCount == 0 { topic.groups.append(group) }
            group.memberCount += 1
            state.changeLocalCount(of: topic, by: 1)
            return (group, loop.inbox.takeAll())
        }
    }

    /// Counts a subscriber no more.
    ///
    /// - Returns: what the loop has to deliver while it is still there.
    func removeSubscriber(of group: SubscriberGroup) -> LoopInbox {
        state.withLock { state in
            group.memberCount -= 1
            if group.memberCount == 0 { group.topic.groups.removeAll { $0 === group } }
            state.changeLocalCount(of: group.topic, by: -1)
            return group.owner.inbox.takeAll()
        }
    }

    func takeInbox(of loop: LoopTopics) -> LoopInbox {
        state.withLock { _ in loop.inbox.takeAll() }
    }
}

extension TopicBroker.State {
    mutating func changeLocalCount(of topic: Topic, by change: Int) {
        topic.localCount += change
        noteChange(by: change, to: topic, in: .thisProcess)
        noteChange(by: change, to: topic, in: .allProcesses)
        for backplane in backplanes {
            backplane.localCountChanged(of: topic.name.text, to: topic.localCount)
        }
        if topic.isUnused { topics[topic.name] = nil }
    }

    mutating func changeRemoteCount(of name: ExactText, by change: Int) {
        guard change != 0 else { return }
        let topic = topics[name] ?? Topic(name)
        topic.remoteCount += change
        noteChange(by: change, to: topic, in: .allProcesses)
        topics[name] = topic.isUnused ? nil : topic
    }

    /// Tells those who watch, if it has its first subscriber now, or has lost its last one.
    private func noteChange(by change: Int, to topic: Topic, in scope: TopicChanges.Scope) {
        let count = topic.count(in: scope)
        guard (count == 0) != (count - change == 0) else { return }
        for watcher in watchers {
            watcher.put(topic.name, hasSubscribers: count > 0, in: scope)
        }
    }
}
