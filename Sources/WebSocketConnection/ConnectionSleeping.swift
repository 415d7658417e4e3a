import EventLoop

extension Connection {
    struct Sleeper {
        let number: Int
        let timer: EventLoop.Timer
        let continuation: UnsafeContinuation<Result<Void, ConnectionError>, Never>
    }

    nonisolated(nonsending) func sleep(for duration: Duration) async throws(ConnectionError) {
        let number = nextWaitNumber()
        let result: Result<Void, ConnectionError> = await wait(
            { $0.startSleeping(number, duration, $1) },
            cancel: { $0.wake(number, .failure(.cancelled)) })
        if loop.isCurrent { noteActivity() }
        try result.get()
    }

    private func startSleeping(
        _ number: Int, _ duration: Duration,
        _ continuation: UnsafeContinuation<Result<Void, ConnectionError>, Never>
    ) {
        if let ending { return continuation.resume(returning: .failure(ending)) }
        let timer = loop.makeTimer { [unowned self] in wake(number, .success(())) }
        madeRare.sleepers.append(Sleeper(number: number, timer: timer, continuation: continuation))
        // From the present, as `receive(timeout:)`.
        loop.schedule(timer, at: loop.currentTime + duration)
    }

    private func wake(_ number: Int, _ result: Result<Void, ConnectionError>) {
        guard let index = sleepers.firstIndex(where: { $0.number == number }) else { return }
        let sleeper = sleepers.remove(at: index)
        loop.cancel(sleeper.timer)
        sleeper.continuation.resume(returning: result)
    }

    func wakeSleepers(_ ending: ConnectionError) {
        for sleeper in sleepers { wake(sleeper.number, .failure(ending)) }
    }
}
