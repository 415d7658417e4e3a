import EventLoop

extension SubprocessRun {
    /// Bytes of a task that waits for its turn.
    struct PendingWrite {
        let bytes: [UInt8]
        let waiter: Waiter<Result<Void, SubprocessError>>
    }

    /// Writes when the program has taken what was written before: no more than one message waits,
    /// and those of other tasks with them.
    nonisolated(nonsending) func write(_ bytes: [UInt8]) async throws(SubprocessError) {
        if loop.isCurrent && canWrite {
            child?.write(bytes)
            return
        }
        let result: Result<Void, SubprocessError> = await wait { run, waiter in
            run.startWriting(PendingWrite(bytes: bytes, waiter: waiter))
        } interrupt: { run, number, _ in
            guard let index = run.writers.firstIndex(where: { $0.waiter.number == number }) else {
                return
            }
            run.writers.remove(at: index).waiter.resume(returning: .failure(.cancelled))
        }
        try result.get()
    }

    private var canWrite: Bool {
        guard let child else { return false }
        return writers.isEmpty && child.takesInput && child.queuedInputByteCount == 0
    }

    private func startWriting(_ write: PendingWrite) {
        writers.append(write)
        serveWriters()
    }

    /// Lets those write whose turn it is.
    func serveWriters() {
        while !writers.isEmpty {
            guard let child, child.takesInput else { return failWriters(.inputClosed) }
            guard child.queuedInputByteCount == 0 else { return }
            let write = writers.removeFirst()
            child.write(write.bytes)
            // What the pipe did not take waits. The error of a closed one is the next write's.
            write.waiter.resume(returning: .success(()))
        }
    }

    func failWriters(_ error: SubprocessError) {
        let failed = writers
        writers = []
        for write in failed { write.waiter.resume(returning: .failure(error)) }
    }
}
