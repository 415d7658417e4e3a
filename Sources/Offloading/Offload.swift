/// Runs code that blocks its thread, or computes for long, on a thread where nothing else waits:
///
/// ```swift
/// let text = try await offload { try String(contentsOfFile: path, encoding: .utf8) }
/// ```
///
/// The caller waits without blocking its own thread, and goes on where it was. At most
/// ``OffloadSettings/threadCountLimit`` calls of a process run at a time; the next ones wait for
/// their turn, in their order. The threads are started when they are needed, and end when they have
/// been idle for a while.
///
/// If the calling task is cancelled, a call that still waits throws `CancellationError`. One that
/// has begun cannot be interrupted: it is waited for.
///
/// - Parameter work: runs once, on a thread of its own, where it may block.
/// - Returns: what `work` returns.
/// - Throws: what `work` throws, ``OffloadError``, or `CancellationError`; `work` was not called in
///   the last two cases.
public func offload<Value: Sendable>(
    _ work: @escaping @Sendable () throws -> Value
) async throws -> Value {
    try await OffloadPool.shared.run(work)
}

/// Why ``offload(_:)`` could not call its `work`.
public enum OffloadError: Error, Sendable, Hashable, CustomStringConvertible {
    /// As many calls wait as may: ``OffloadSettings/waitingCallLimit``.
    case tooManyCalls(limit: Int)
    /// The system starts no thread; the error number of `pthread_create`.
    case noThread(code: Int32)

    public var description: String {
        switch self {
        case .tooManyCalls(let limit):
            "\(limit) call\(limit == 1 ? "" : "s") of offload "
                + "\(limit == 1 ? "waits" : "wait") for a thread already (--offload-queue)"
        case .noThread(let code): "no thread for a call of offload: error \(code) of pthread_create"
        }
    }
}

/// The limits of ``offload(_:)``, for all of the process.
public struct OffloadSettings: Sendable, Hashable {
    /// `--offload-threads`. Calls that run at a time, each on a thread. 64: as many as .NET or
    /// Kotlin's `Dispatchers.IO` have for the purpose.
    public var threadCountLimit = 64
    /// `--offload-queue`. Calls that may wait for a thread; more throw. As many as there may be
    /// connections.
    public var waitingCallLimit = 10_000
    /// How long a thread without work stays.
    public var idleTimeout: Duration = .seconds(10)

    public init() {}
}
