import EventLoop
import Processes

/// A program that runs for the body of
/// ``withSubprocess(_:_:environment:folder:settings:onErrorLine:_:)``. From any task.
public struct Subprocess: Sendable, Equatable {
    let run: SubprocessRun

    public static func == (a: Self, b: Self) -> Bool { a.run === b.run }

    /// The number of its process, and of its process group.
    public var processIdentifier: Int32 { run.processIdentifier }

    // MARK: Input

    /// Writes bytes into its standard input.
    ///
    /// Waits until the program, or its pipe, has taken what was written before. So a program that
    /// does not read makes its writers wait, and what waits is one call's bytes at most.
    ///
    /// - Throws: ``SubprocessError/inputClosed``; ``SubprocessError/cancelled``, after which none
    ///   of these bytes was written.
    public func write(_ bytes: [UInt8]) async throws(SubprocessError) {
        try await run.write(bytes)
    }

    /// Writes text, as UTF-8; as ``write(_:)-([UInt8])``.
    public func write(_ text: String) async throws(SubprocessError) {
        try await run.write(Array(text.utf8))
    }

    /// Ends its standard input behind what was written. Many programs end then.
    public func endInput() async {
        await run.onLoop { run in
            run.failWriters(.inputClosed)
            run.child?.endInput()
        }
    }

    // MARK: Output

    /// The lines of its standard output, without their ends (LF or CR LF), as they come. Bytes that
    /// are not UTF-8 become U+FFFD. What follows the last end is a line too, if it is not empty.
    ///
    /// The program waits while nobody takes them. One task at a time reads its output, as lines,
    /// pieces or otherwise.
    public var lines: Lines { Lines(run: run) }

    /// Its standard output in pieces, as they come; as ``lines``.
    public var pieces: Pieces { Pieces(run: run) }

    /// So many bytes of its standard output.
    ///
    /// - Parameter byteCount: as many are held in memory; 0 or less: none are waited for.
    /// - Returns: fewer only at the end of its output; `nil` if nothing is left.
    public func read(exactly byteCount: Int) async throws(SubprocessError) -> [UInt8]? {
        // Also of a number that a program named: less than nothing is no error of this process.
        let byteCount = max(0, byteCount)
        return try await run.read { $0.take(exactly: byteCount) }
    }

    package func nextLine() async throws(SubprocessError) -> SubprocessLine? {
        let byteLimit = run.settings.lineByteLimit
        return try await run.read { $0.takeLine(byteLimit: byteLimit) }
    }

    // MARK: The end

    /// Sends a signal (signal(7)) to it and all of its process group.
    public func send(signal: Int32) async {
        await run.onLoop { $0.child?.signal(signal) }
    }

    /// Waits until it has ended by itself and its output was read to the end.
    ///
    /// - Parameter timeout: how long to wait; `nil`: as long as it runs.
    /// - Returns: `nil` if it did not end in this time.
    /// - Throws: ``SubprocessError/cancelled``.
    public func exitStatus(
        within timeout: Duration? = nil
    ) async throws(SubprocessError) -> ExitStatus? {
        if let status = await run.exitStatus(within: timeout) { return status }
        if Task.isCancelled { throw .cancelled }
        return nil
    }
}

// MARK: - Its output as sequences

extension Subprocess {
    /// See ``Subprocess/lines``.
    public struct Lines: AsyncSequence, Sendable {
        public typealias Failure = SubprocessError
        let run: SubprocessRun

        public struct AsyncIterator: AsyncIteratorProtocol {
            let process: Subprocess

            public mutating func next() async throws(SubprocessError) -> String? {
                try await process.nextLine()?.text
            }

            public nonisolated(nonsending) mutating func next(
                isolation actor: (any Actor)?
            ) async throws(SubprocessError) -> String? {
                try await process.nextLine()?.text
            }
        }

        public func makeAsyncIterator() -> AsyncIterator {
            AsyncIterator(process: Subprocess(run: run))
        }
    }

    /// See ``Subprocess/pieces``.
    public struct Pieces: AsyncSequence, Sendable {
        public typealias Failure = SubprocessError
        let run: SubprocessRun

        public struct AsyncIterator: AsyncIteratorProtocol {
            let run: SubprocessRun

            public mutating func next() async throws(SubprocessError) -> [UInt8]? {
                try await run.read { $0.takePiece() }
            }

            public nonisolated(nonsending) mutating func next(
                isolation actor: (any Actor)?
            ) async throws(SubprocessError) -> [UInt8]? {
                try await run.read { $0.takePiece() }
            }
        }

        public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(run: run) }
    }
}
