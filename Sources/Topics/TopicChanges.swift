import EventLoop
import Synchronization

/// That topics get their first subscriber, and lose their last one: for feeds that are worth their
/// cost only while somebody listens.
///
/// What came and went again before it was taken is left out, so at most one change for each topic
/// waits. Each change is given out once, whoever asks for it.
public struct TopicChanges: AsyncSequence, Sendable {
    public struct Change: Sendable, Hashable {
        public let topic: String
        public let hasSubscribers: Bool
    }

    /// Which subscribers count.
    public enum Scope: Sendable, Hashable {
        case thisProcess
        /// Of the supervisor, as far as these told.
        case allProcesses
    }

    private let registration: Registration

    init(_ broker: TopicBroker, _ source: ChangeSource) {
        registration = Registration(broker, source)
    }

    /// Waits for the next change.
    ///
    /// - Returns: `nil` when the task is cancelled, or the broker has gone.
    package func next() async -> Change? { await registration.source.next() }

    public struct AsyncIterator: AsyncIteratorProtocol {
        let changes: TopicChanges

        /// - Returns: `nil` when the task is cancelled, or the broker has gone.
        public mutating func next() async -> Change? { await changes.next() }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(changes: self) }

    /// The broker's knowledge of a source, for as long as somebody may ask for changes.
    private final class Registration: Sendable {
        let source: ChangeSource
        private let forget: @Sendable () -> Void

        init(_ broker: TopicBroker, _ source: ChangeSource) {
            self.source = source
            forget = { [weak broker] in broker?.remove(source) }
        }

        deinit { forget() }
    }
}

/// The changes that nobody has taken yet, and who waits for one. From any thread.
final class ChangeSource: Sendable {
    private let scope: TopicChanges.Scope
    /// `nil`: all.
    private let topic: ExactText?
    private let state = Mutex(State())
    private let lastWaiter = Atomic<Int>(0)

    fileprivate typealias Continuation = UnsafeContinuation<TopicChanges.Change?, Never>

    fileprivate struct State {
        var changes: [ExactText: Bool] = [:]
        /// The topics of the changes from `head` on, in order; some have none any more.
        var order: [ExactText] = []
        var head = 0
        /// Only while there is no change.
        var waiters: [(number: Int, continuation: Continuation)] = []
        var isFinished = false
    }

    init(_ scope: TopicChanges.Scope, of topic: ExactText?) {
        self.scope = scope
        self.topic = topic
    }

    /// A topic got its first subscriber, or lost its last one.
    func put(_ topic: ExactText, hasSubscribers: Bool, in scope: TopicChanges.Scope) {
        guard scope == self.scope, self.topic == nil || self.topic == topic else { return }
        let waiter = state.withLock { state in
            if state.waiters.isEmpty {
                state.put(topic, hasSubscribers)
                return nil as Continuation?
            }
            return state.waiters.removeFirst().continuation
        }
        waiter?.resume(
            returning: TopicChanges.Change(topic: topic.text, hasSubscribers: hasSubscribers))
    }

    func next() async -> TopicChanges.Change? {
        let number = lastWaiter.add(1, ordering: .relaxed).newValue
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: Continuation) in
                let (isOver, change) = state.withLock { state in
                    // A cancellation before this came too early to find a waiter.
                    if state.isFinished || Task.isCancelled {
                        return (true, nil as TopicChanges.Change?)
                    }
                    let change = state.take()
                    if change == nil { state.waiters.append((number, continuation)) }
                    return (change != nil, change)
                }
                if isOver { continuation.resume(returning: change) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiters.firstIndex { $0.number == number }.map {
                    state.waiters.remove(at: $0).continuation
                }
            }
            waiter?.resume(returning: nil)
        }
    }

    /// Tasks that wait for a change.
    var waiterCount: Int { state.withLock(\.waiters.count) }

    /// There are no more.
    func finish() {
        let waiters = state.withLock { state in
            defer { state.waiters = [] }
            state.isFinished = true
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: nil) }
    }
}

fileprivate extension ChangeSource.State {
    /// Leaves out, of the order, what has gone: while the rest is longer than this.
    static let staleCountLimit = 32

    mutating func put(_ topic: ExactText, _ hasSubscribers: Bool) {
        // The opposite of what waits: nothing has changed.
        if changes.removeValue(forKey: topic) != nil { return }
        changes[topic] = hasSubscribers
        order.append(topic)
        if order.count > 2 * changes.count + Self.staleCountLimit { compact() }
    }

    mutating func take() -> TopicChanges.Change? {
        while head < order.count {
            let topic = order[head]
            head += 1
            if let hasSubscribers = changes.removeValue(forKey: topic) {
                return TopicChanges.Change(topic: topic.text, hasSubscribers: hasSubscribers)
            }
        }
        order = []
        head = 0
        return nil
    }

    private mutating func compact() {
        var known: Set<ExactText> = []
        order = order[head...].filter { changes[$0] != nil && known.insert($0).inserted }
        head = 0
    }
}
