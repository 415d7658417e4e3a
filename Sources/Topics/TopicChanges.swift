import EventLoop
import Synchronization

/// That topics get their first subscriber in this process, and lose their last one: for feeds that
/// are worth their cost only while somebody listens.
///
/// What came and went again before it was taken is left out, so it holds one change for each topic
/// at most. One task at a time iterates.
public struct TopicChanges: AsyncSequence, Sendable {
    public struct Change: Sendable, Hashable {
        public let topic: String
        public let hasSubscribers: Bool
    }

    let source = ChangeSource()

    public struct AsyncIterator: AsyncIteratorProtocol {
        let source: ChangeSource

        /// - Returns: `nil` when the task is cancelled, or the broker has gone.
        public mutating func next() async -> Change? {
            while true {
                if let change = source.take() { return change }
                for await _ in source.signal {
                    break
                }
                if Task.isCancelled || source.isFinished { return source.take() }
            }
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(source: source) }
}

/// The changes that nobody has taken yet.
final class ChangeSource: Sendable {
    private struct State {
        var changes: [ExactText: Bool] = [:]
        var order: [ExactText] = []
        var isFinished = false
    }
    private let state = Mutex(State())
    /// At least one change is there.
    let signal: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (signal, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    var isFinished: Bool { state.withLock(\.isFinished) }

    func put(_ topic: ExactText, hasSubscribers: Bool) {
        state.withLock { state in
            // The opposite of what waits: nothing has changed.
            if state.changes.removeValue(forKey: topic) != nil { return }
            state.changes[topic] = hasSubscribers
            state.order.append(topic)
            if state.order.count > 2 * state.changes.count + 32 {
                state.order.removeAll { state.changes[$0] == nil }
            }
        }
        continuation.yield()
    }

    func take() -> TopicChanges.Change? {
        state.withLock { state in
            while !state.order.isEmpty {
                let topic = state.order.removeFirst()
                guard let hasSubscribers = state.changes.removeValue(forKey: topic) else {
                    continue
                }
                return TopicChanges.Change(topic: topic.text, hasSubscribers: hasSubscribers)
            }
            return nil
        }
    }

    func finish() {
        state.withLock { $0.isFinished = true }
        continuation.finish()
    }
}
