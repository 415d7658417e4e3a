import EventLoop
import Synchronization
import WebSocketHost

/// Something that a test waits for: ends once, when it happens or when the time limit is over.
final class Wait<Value: Sendable>: Sendable {
    private struct State {
        var continuation: CheckedContinuation<Value, any Error>?
        var watchdog: Task<Void, Never>?
    }

    private let state: Mutex<State>

    init(_ continuation: CheckedContinuation<Value, any Error>) {
        state = Mutex(State(continuation: continuation))
    }

    var isOver: Bool { state.withLock { $0.continuation == nil } }

    func end(_ result: Result<Value, any Error>) {
        let (continuation, watchdog) = state.withLock { state in
            defer { state = State() }
            return (state.continuation, state.watchdog)
        }
        watchdog?.cancel()
        continuation?.resume(with: result)
    }

    func watch(_ watchdog: Task<Void, Never>) {
        let isWatched = state.withLock { state in
            if state.continuation != nil { state.watchdog = watchdog }
            return state.continuation != nil
        }
        if !isWatched { watchdog.cancel() }
    }
}

extension TestHost {
    /// Waits for what `start` arranges on the loop's thread, and no longer than ``patience``: the
    /// loop does not know of other threads' tasks, so a real clock limits the wait.
    ///
    /// - Parameter explain: why it did not come, on the loop's thread.
    func wait<Value: Sendable>(
        _ place: TestPlace, explain: @escaping @Sendable () -> String,
        _ start: @escaping @Sendable (Wait<Value>) -> Void
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let wait = Wait(continuation)
            loop.submit { start(wait) }
            wait.watch(watchdog(wait, place, explain))
        }
    }

    private func watchdog<Value: Sendable>(
        _ wait: Wait<Value>, _ place: TestPlace, _ explain: @escaping @Sendable () -> String
    ) -> Task<Void, Never> {
        Task.detached { [loop, patience] in
            guard (try? await Task.sleep(for: patience)) != nil else { return }
            loop.submit { wait.end(.failure(place.failure(explain()))) }
            guard (try? await Task.sleep(for: Self.graceOfLoop)) != nil else { return }
            wait.end(
                .failure(place.failure("a handler has kept its thread for \(patience): use await")))
        }
    }

    /// How long the loop has to answer after that.
    private static let graceOfLoop: Duration = .seconds(1)
}
