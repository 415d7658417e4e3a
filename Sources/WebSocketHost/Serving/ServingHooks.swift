import EventLoop
import Synchronization
import Topics

/// What lives with the handlers of a server, not with their connections: begins and ends it.
///
/// | a hook | from | to |
/// |---|---|---|
/// | waits | the beginning | ``begin(_:)`` |
/// | runs | ``begin(_:)`` | its return, or ``end(_:onEnd:)`` |
/// | is silent and cancelled | ``end(_:onEnd:)`` | the end of its task, if it comes to one |
///
/// All calls from any thread.
final class ServingHooks: Sendable {
    private let loop: Loop
    private let log: Log
    private let topics: TopicBroker
    private let state = Mutex(State())

    private struct State {
        var records: [Record] = []
        var waiters: [Waiter] = []

        func isIdle(_ parts: Set<RoutePart>) -> Bool {
            !records.contains { parts.contains($0.hook.part) && $0.unendedCount > 0 }
        }
    }

    private struct Record {
        let hook: ServingHook
        /// From its beginning until it is told to end.
        var run: ServingRun?
        /// The last one.
        var task: Task<Void, Never>?
        /// Tasks that have not ended, those that were told to included.
        var unendedCount = 0
    }

    private struct Waiter {
        let parts: Set<RoutePart>
        let onEnd: @Sendable () -> Void
    }

    static let parts: Set<RoutePart> = [.whileServing, .feed]

    /// - Parameter loop: whose thread the hooks run on.
    init(on loop: Loop, log: Log, _ topics: TopicBroker) {
        self.loop = loop
        self.log = log
        self.topics = topics
    }

    /// Before any of them begins.
    func serve(_ routes: Routes) {
        let hooks = ServingHook.all(of: routes, on: loop, log: log, topics)
        state.withLock { $0.records = hooks.map { Record(hook: $0) } }
    }

    /// The names of those whose tasks have not ended, for the log.
    func unended(_ parts: Set<RoutePart>) -> [String] {
        state.withLock { state in
            state.records.filter { parts.contains($0.hook.part) && $0.unendedCount > 0 }
                .map(\.hook.name)
        }
    }
}

// MARK: - Beginning and ending

extension ServingHooks {
    /// Begins those that do not run.
    func begin(_ part: RoutePart) {
        state.withLock { state in
            for index in state.records.indices
            where state.records[index].hook.part == part && state.records[index].run == nil {
                begin(&state.records[index], index)
            }
        }
    }

    /// After the one before has ended, if there was one.
    private func begin(_ record: inout Record, _ index: Int) {
        let run = ServingRun(record.hook)
        record.run = run
        record.unendedCount += 1
        record.task = Task(executorPreference: record.hook.executor) {
            [self, before = record.task] in
            await before?.value
            await run.attempt()
            ended(index)
        }
    }

    private func ended(_ index: Int) {
        let due = state.withLock { state in
            state.records[index].unendedCount -= 1
            let (due, waiting) = state.waiters.divided { state.isIdle($0.parts) }
            state.waiters = waiting
            return due
        }
        for waiter in due { waiter.onEnd() }
    }

    /// Tells them to end. Nothing is published by them any more when this returns.
    ///
    /// - Parameter onEnd: called once their tasks have ended, on any thread; at once if none runs.
    func end(_ parts: Set<RoutePart>, onEnd: @escaping @Sendable () -> Void) {
        tellToEnd { parts.contains($0.part) }
        let isIdle = state.withLock { state in
            let isIdle = state.isIdle(parts)
            if !isIdle { state.waiters.append(Waiter(parts: parts, onEnd: onEnd)) }
            return isIdle
        }
        if isIdle { onEnd() }
    }

    /// - Returns: the numbers of those that did run.
    @discardableResult
    private func tellToEnd(where isMeant: (ServingHook) -> Bool) -> [Int] {
        let runs = state.withLock { state in
            state.records.indices.compactMap { index -> (Int, ServingRun, Task<Void, Never>?)? in
                let record = state.records[index]
                guard let run = record.run, isMeant(record.hook) else { return nil }
                state.records[index].run = nil
                return (index, run, record.task)
            }
        }
        // Not under the lock: a cancellation runs code of the handler's.
        for (_, run, task) in runs {
            run.silence()
            task?.cancel()
        }
        return runs.map(\.0)
    }

    /// The file's routes are left out from now on: its hooks end, and begin again when the routes
    /// are served again.
    func leaveOut(_ source: String) {
        let indices = tellToEnd { $0.route.source.isExactly(source) }
        state.withLock { state in
            for index in indices where state.records[index].run == nil {
                begin(&state.records[index], index)
            }
        }
    }
}

extension Array {
    /// Those for which something is so, and the others.
    fileprivate func divided(by isSo: (Element) -> Bool) -> (so: [Element], not: [Element]) {
        (filter(isSo), filter { !isSo($0) })
    }
}
