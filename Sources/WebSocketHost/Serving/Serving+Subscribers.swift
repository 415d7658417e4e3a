import Topics

extension Serving {
    /// Runs `body` while a topic has subscribers, for what costs too much to go on when nobody
    /// listens: cancels it when the last one has left, and runs it again when one comes.
    ///
    /// For a feed subscribers in all processes of the supervisor count, for `whileServing` those in
    /// its own. A `body` that returns is not run again until the topic was without subscribers.
    ///
    /// - Throws: what `body` throws unless it was cancelled; `CancellationError` when the hook is
    ///   to end.
    public func whileSubscribed(
        to topic: String, _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        let scope: TopicChanges.Scope = run.hook.part == .feed ? .allProcesses : .thisProcess
        let changes = topics.changes(of: topic, in: scope)
        while let change = await changes.next() {
            if change.hasSubscribers { try await run(body, untilNextOf: changes) }
        }
        try Task.checkCancellation()
    }

    private enum End: Sendable {
        case ofBody(Result<Void, any Error>)
        case ofSubscribers
    }

    private func run(
        _ body: @escaping @Sendable () async throws -> Void, untilNextOf changes: TopicChanges
    ) async throws {
        let result = await withTaskGroup(of: End.self) { group in
            group.addTask {
                // Changes alternate: this one says that the last subscriber has left.
                _ = await changes.next()
                return .ofSubscribers
            }
            group.addTask {
                do {
                    return .ofBody(.success(try await body()))
                } catch {
                    return .ofBody(.failure(error))
                }
            }
            var result: Result<Void, any Error> = .success(())
            var isCancelled = false
            while let end = await group.next() {
                switch end {
                case .ofBody(.success): continue
                case .ofBody(.failure) where isCancelled: continue
                case .ofBody(let failure): result = failure
                case .ofSubscribers: break
                }
                isCancelled = true
                group.cancelAll()
            }
            return result
        }
        try result.get()
    }
}
