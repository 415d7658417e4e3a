import EventLoop
import Synchronization
import Topics
import WebSocketProtocol

/// A hook from when it begins until it is to end, over all its attempts.
///
/// `@unchecked Sendable`: `sleepers` is touched on the loop's thread only.
final class ServingRun: LoopBound, @unchecked Sendable {
    let hook: ServingHook
    var loop: Loop { hook.loop }
    /// Whether it may publish. Held while it does, so that nothing comes after ``silence()``.
    private let isAudible = Mutex(true)
    private var sleepers: [Waiter<Bool>] = []

    init(_ hook: ServingHook) { self.hook = hook }

    /// Drops what it publishes from now on. From any thread.
    func silence() { isAudible.withLock { $0 = false } }

    func publish(_ message: Message, to topic: String, key: String?) -> PublishCounts {
        isAudible.withLock { isAudible in
            if isAudible { return hook.topics.publish(message, to: topic, key: key) }
            var counts = PublishCounts()
            counts.refusal = .feedEnded
            return counts
        }
    }

    func sleep(for duration: Duration) async throws(CancellationError) {
        let isOver = await wait(timeout: duration) { (run: ServingRun, waiter: Waiter<Bool>) in
            run.sleepers.append(waiter)
        } interrupt: { run, number, reason in
            run.sleepers.resume(number, returning: reason == .timedOut)
        }
        if !isOver { throw CancellationError() }
    }
}

// MARK: - Attempts

extension ServingRun {
    /// Runs the hook until it returns or the task is cancelled; again after a while if it throws.
    func attempt() async {
        var pauses = RestartPauses()
        while !Task.isCancelled {
            guard (try? await waitUntilServed()) != nil else { return }
            let began = loop.currentTime
            do {
                return try await hook.body(Serving(run: self))
            } catch {
                if Task.isCancelled { return }
                let pause = pauses.next(afterRunOf: loop.currentTime - began)
                hook.log(
                    .error,
                    "\(hook.name) threw \(escaped("\(error)", limit: 1_000)); it begins again in "
                        + "\(pause.components.seconds) s")
                guard (try? await sleep(for: pause)) != nil else { return }
            }
        }
    }

    /// A file that traps again and again is left out for a time, with its hooks.
    private func waitUntilServed() async throws(CancellationError) {
        while let pause = hook.route.leftOut(at: loop.currentTime) { try await sleep(for: pause) }
    }
}

/// How long a hook that threw waits before it begins again.
struct RestartPauses {
    static let first: Duration = .seconds(1)
    /// Each pause is twice as long as the one before, up to this.
    static let limit: Duration = .seconds(60)
    /// After a run of this length the next pause is the first again.
    static let resetTime: Duration = .seconds(60)

    private var last: Duration?

    mutating func next(afterRunOf duration: Duration) -> Duration {
        if duration >= Self.resetTime { last = nil }
        let pause = last.map { min($0 * 2, Self.limit) } ?? Self.first
        last = pause
        return pause
    }
}
