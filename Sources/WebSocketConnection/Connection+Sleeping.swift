import EventLoop

extension Connection {
    nonisolated(nonsending) func sleep(for duration: Duration) async throws(ConnectionError) {
        let result: Result<Void, ConnectionError> = await wait(timeout: duration) {
            connection, waiter in
            if let ending = connection.ending {
                waiter.resume(returning: .failure(ending))
            } else {
                connection.makeWaits().sleepers.append(waiter)
            }
        } interrupt: { connection, number, reason in
            let result: Result<Void, ConnectionError> =
                switch reason {
                case .timedOut: .success(())
                case .cancelled: .failure(.cancelled)
                }
            connection.waits?.sleepers.resume(number, returning: result)
        }
        if loop.isCurrent { noteActivity() }
        try result.get()
    }
}
