import Counting
import EventLoop
import Synchronization
import WebSocketProtocol

/// Brings what is published to a topic to all who subscribed to it: on all event loops of a server,
/// and in all processes of its supervisor.
///
/// A server has one (`socket.topics`, `server.topics`); two servers of a program may share one. All
/// that is published in this process goes through one lock, so each subscriber gets it in one
/// order, whichever loop and topic it is of. Nothing waits for a subscriber: see
/// ``SlowSubscriberPolicy``. A message is delivered once at most.
public final class TopicBroker: Sendable {
    public let settings: TopicSettings
    let state = Mutex(State())

    struct State {
        var topics: [ExactText: Topic] = [:]
        var loopCounts: [LoopCounts] = []
        var backplanes: [any Backplane] = []
        /// Subscribers in other processes, by process.
        var remoteCounts: [UInt64: [ExactText: Int]] = [:]
        var watchers: [ChangeSource] = []
        var publishedCount = 0
        /// Counts the same for longer than this process lives; `nil`: nobody wants to know.
        var publishedCell: CounterCells?
        /// What keeps its memory.
        var publishedCellOwner: (AnyObject & Sendable)?
        /// Of loops that have left.
        var pastCounters = TopicCounters()
    }

    public init(_ settings: TopicSettings = TopicSettings()) { self.settings = settings }

    deinit {
        state.withLock { for watcher in $0.watchers { watcher.finish() } }
    }
}

// MARK: - Publishing

extension TopicBroker: MessagePublisher {
    /// Publishes to all subscribers of a topic. From any thread.
    @discardableResult
    public func publish(_ message: Message, to topic: String, key: String? = nil) -> PublishCounts {
        publish(Publication(topic: topic, message: message, key: key), except: nil)
    }

    /// - Parameter publisher: does not get it.
    package func publish(
        _ publication: Publication, except publisher: (any Subscriber)?
    ) -> PublishCounts {
        if let refusal = refusal(of: publication) {
            var counts = PublishCounts()
            counts.refusal = refusal
            return counts
        }
        return distribute(publication, except: publisher) { state in
            state.publishedCount += 1
            state.publishedCell?.add(1, to: 0)
            for backplane in state.backplanes { backplane.published(publication) }
        }
    }

    private func refusal(of publication: Publication) -> TopicError? {
        do throws(TopicError) {
            try check(name: publication.topic)
        } catch {
            return error
        }
        let byteCount = publication.byteCount
        guard byteCount > settings.messageByteLimit else { return nil }
        return .messageTooLong(byteCount: byteCount, byteLimit: settings.messageByteLimit)
    }

    func check(name: String) throws(TopicError) {
        let byteCount = name.utf8.count
        if byteCount == 0 { throw .emptyName }
        if byteCount > settings.nameByteLimit {
            throw .nameTooLong(byteCount: byteCount, byteLimit: settings.nameByteLimit)
        }
    }

    /// - Parameter note: called under the lock.
    private func distribute(
        _ publication: Publication, except publisher: (any Subscriber)?,
        note: (inout State) -> Void
    ) -> PublishCounts {
        var counts = PublishCounts()
        // One in most cases, which then needs no array.
        var own: SubscriberGroup?
        var moreOwn: [SubscriberGroup] = []
        var others: [LoopTopics] = []
        let name = ExactText(publication.topic)
        state.withLock { state in
            note(&state)
            guard let topic = state.topics[name] else { return }
            topic.publishedCount &+= 1
            for group in topic.groups {
                counts.receivers += group.memberCount
                let loop = group.owner
                if loop.inbox.isEmpty && loop.isCurrent {
                    if own == nil { own = group } else { moreOwn.append(group) }
                } else if loop.inbox.put(publication, to: group, except: publisher)
                    || loop.isCurrent
                {
                    others.append(loop)
                }
            }
        }
        for loop in others { loop.takeInboxSoon() }
        if let own { own.owner.deliver(publication, to: own, except: publisher, &counts) }
        for group in moreOwn {
            group.owner.deliver(publication, to: group, except: publisher, &counts)
        }
        return counts
    }
}

// MARK: - Counting

extension TopicBroker {
    /// How many subscribers a topic has in all processes, as far as these told.
    public func subscriberCount(of topic: String) -> Int {
        state.withLock { $0.topics[ExactText(topic)].map { $0.localCount + $0.remoteCount } ?? 0 }
    }

    /// How many of them are in this process.
    public func localSubscriberCount(of topic: String) -> Int {
        state.withLock { $0.topics[ExactText(topic)]?.localCount ?? 0 }
    }

    /// All topics that have subscribers, in no order.
    public var summaries: [TopicSummary] { summaries(limit: .max).listed }

    /// Some of them, so that publishers do not wait for a list of a hundred thousand.
    package func summaries(limit: Int) -> (listed: [TopicSummary], isCut: Bool) {
        state.withLock { state in
            (state.topics.values.prefix(limit).map(\.summary), state.topics.count > limit)
        }
    }

    /// What became of all messages so far. On other threads some may be under way.
    public var counters: TopicCounters {
        state.withLock { state in
            var counters = state.loopCounts.reduce(into: state.pastCounters) { sum, counts in
                sum.add(counts.values)
            }
            counters.published = state.publishedCount
            return counters
        }
    }

    /// Counts publications in the first of these cells, too. One server that uses the broker gives
    /// them; those of another one that shares it are left alone.
    ///
    /// - Parameter cells: their memory lives as long as the broker.
    package func countPublications(in cells: CounterCells, keeping owner: AnyObject & Sendable) {
        state.withLock { state in
            guard state.publishedCell == nil else { return }
            state.publishedCell = cells
            state.publishedCellOwner = owner
        }
    }

    /// From now on: when a topic gets its first subscriber, and loses its last one. Topics that
    /// have subscribers already come first.
    ///
    /// - Parameters:
    ///   - topic: `nil`: all topics.
    ///   - scope: which subscribers count.
    public func changes(
        of topic: String? = nil, in scope: TopicChanges.Scope = .thisProcess
    ) -> TopicChanges {
        let topic = topic.map { ExactText($0) }
        let source = ChangeSource(scope, of: topic)
        state.withLock { state in
            state.watchers.append(source)
            let known = topic.map { [state.topics[$0]].compactMap(\.self) }
            for topic in known ?? Array(state.topics.values) where topic.count(in: scope) > 0 {
                source.put(topic.name, hasSubscribers: true, in: scope)
            }
        }
        return TopicChanges(self, source)
    }

    /// Nobody asks for its changes any more.
    func remove(_ source: ChangeSource) {
        state.withLock { $0.watchers.removeAll { $0 === source } }
    }
}

// MARK: - Other processes

extension TopicBroker {
    /// Passes on what is published here from now on, and tells how many subscribers there are.
    package func join(_ backplane: any Backplane) {
        state.withLock { state in
            state.backplanes.append(backplane)
            for topic in state.topics.values where topic.localCount > 0 {
                backplane.localCountChanged(of: topic.name.text, to: topic.localCount)
            }
        }
    }

    package func leave(_ backplane: any Backplane) {
        state.withLock { $0.backplanes.removeAll { $0 === backplane } }
    }

    /// Delivers what another process published. From any thread.
    ///
    /// Its limits may be other than ours: of what is over ours, subscribers are told that they
    /// missed it.
    package func deliver(_ publication: Publication) {
        guard refusal(of: publication) == nil else { return missed(1, of: [publication.topic]) }
        _ = distribute(publication, except: nil) { _ in }
    }

    /// Publications were lost on their way here: the subscribers of their topics get the word of
    /// their policy. From any thread.
    ///
    /// - Parameter topics: `nil`: it is not known which.
    package func missed(_ count: Int, of topics: [String]?) {
        let wakes = state.withLock { state in
            let lost =
                topics.map { names in names.compactMap { state.topics[ExactText($0)] } }
                ?? Array(state.topics.values)
            var wakes: [LoopTopics] = []
            for group in lost.flatMap(\.groups) {
                group.owner.inbox.note(missed: count, of: group)
                wakes.append(group.owner)
            }
            return wakes
        }
        var woken: Set<ObjectIdentifier> = []
        for loop in wakes where woken.insert(ObjectIdentifier(loop)).inserted {
            loop.takeInboxSoon()
        }
    }

    /// - Parameter origin: a number for the other process.
    package func setCount(_ count: Int, of topic: String, at origin: UInt64) {
        let name = ExactText(topic)
        state.withLock { state in
            let before = state.remoteCounts[origin]?[name] ?? 0
            state.remoteCounts[origin, default: [:]][name] = count == 0 ? nil : count
            state.changeRemoteCount(of: name, by: count - before)
        }
    }

    /// The other process has ended.
    package func removeOrigin(_ origin: UInt64) {
        state.withLock { state in
            for (name, count) in state.remoteCounts.removeValue(forKey: origin) ?? [:] {
                state.changeRemoteCount(of: name, by: -count)
            }
        }
    }
}
