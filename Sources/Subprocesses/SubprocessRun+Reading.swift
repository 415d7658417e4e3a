import EventLoop

extension SubprocessRun {
    /// A task that waits for output.
    struct PendingRead {
        /// Of its ``Waiter``.
        let number: Int
        /// Takes what is there and resumes the task; false if that is not enough.
        let attempt: (SubprocessRun) -> Bool
        let fail: (SubprocessError) -> Void
    }

    typealias Take<Value: Sendable> =
        @Sendable (inout SubprocessOutput) -> SubprocessOutput.Taken<Value>

    /// - Parameter take: tried on the loop's thread each time that there is more.
    /// - Returns: `nil` at the end of the output.
    nonisolated(nonsending) func read<Value: Sendable>(
        _ take: @escaping Take<Value>
    ) async throws(SubprocessError) -> Value? {
        if loop.isCurrent && reader == nil {
            switch takeNow(take) {
            case .value(let value): return value
            case .end: return nil
            case .failure(let error): throw error
            case .nothing: break
            }
        }
        let result: Result<Value?, SubprocessError> = await wait { run, waiter in
            run.startReading(waiter, take)
        } interrupt: { run, number, _ in
            guard let reader = run.reader, reader.number == number else { return }
            run.reader = nil
            reader.fail(.cancelled)
        }
        return try result.get()
    }

    private func startReading<Value: Sendable>(
        _ waiter: Waiter<Result<Value?, SubprocessError>>, _ take: @escaping Take<Value>
    ) {
        guard reader == nil else { return waiter.resume(returning: .failure(.readInProgress)) }
        reader = PendingRead(
            number: waiter.number,
            attempt: { run in
                switch run.takeNow(take) {
                case .value(let value): waiter.resume(returning: .success(value))
                case .end: waiter.resume(returning: .success(nil))
                case .failure(let error): waiter.resume(returning: .failure(error))
                case .nothing: return false
                }
                return true
            },
            fail: { waiter.resume(returning: .failure($0)) })
        serveReader()
        if reader != nil { child?.resumeOutput() }
    }

    private func takeNow<Value>(_ take: Take<Value>) -> SubprocessOutput.Taken<Value> {
        let isOverMark = output.count >= settings.outputByteMark
        let taken = take(&output)
        if isOverMark && output.count < settings.outputByteMark { child?.resumeOutput() }
        return taken
    }

    /// Gives the task that waits what there is for it.
    func serveReader() {
        guard let reader else { return }
        // Out of its place first: what comes next may be taken by another one.
        self.reader = nil
        if !reader.attempt(self) { self.reader = reader }
    }
}
