import EventLoop
import Topics
import WebSocketProtocol

/// What `whileServing` and `feed` of a ``WebSocketHandler`` hold: the topics, the clock and the log
/// of a route without a connection.
///
/// ```swift
/// feed: { serving in
///     while true {
///         serving.publish("\(serving.now)", to: "clock")
///         try await serving.sleep(for: .seconds(1))
///     }
/// }
/// ```
public struct Serving: Sendable {
    let run: ServingRun

    /// The route's path; the first one, if the handler has several.
    public var route: String { run.hook.route.path }

    /// The server's topics, to ask for counts.
    ///
    /// A feed publishes with ``publish(_:to:key:)-(String,_,_)``, which is silent once another
    /// process has the feed; what it publishes here is not held back.
    public var topics: TopicBroker { run.hook.topics }
}

// MARK: - Publishing

extension Serving: MessagePublisher {
    /// Publishes to all subscribers of a topic. From any thread. The refusal is
    /// ``TopicError/feedEnded`` once a feed has been told to end.
    @discardableResult
    public func publish(_ message: Message, to topic: String, key: String? = nil) -> PublishCounts {
        run.publish(message, to: topic, key: key)
    }
}

// MARK: - Time

extension Serving {
    /// The time for deadlines: `ContinuousClock.now`, but where a test moves the clock.
    public var now: ContinuousClock.Instant { run.loop.continuousTime }

    /// Waits, and lets the others on the thread go on. Unlike with `Task.sleep` a test moves the
    /// clock.
    ///
    /// - Throws: `CancellationError` when the hook is to end.
    public func sleep(for duration: Duration) async throws(CancellationError) {
        try await run.sleep(for: duration)
    }
}

// MARK: - The log

extension Serving {
    /// Writes a line into the server's log, with the route in front, if `--log-level` lets the
    /// level through.
    ///
    /// - Parameter message: made only if it is written. What came from outside may be in it: it
    ///   goes through ``escaped(_:limit:)``, with ``ConnectionLog/messageCharacterLimit``.
    public func log(_ level: LogLevel, _ message: @autoclosure () -> String) {
        let log = run.hook.log
        guard log.isEnabled(level) else { return }
        let text = escaped(message(), limit: ConnectionLog.messageCharacterLimit)
        log(level, "\(escaped(route)): \(text)")
    }
}
