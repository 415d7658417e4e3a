/// The limits of the hook `http` of handlers.
public struct HTTPSettings: Sendable, Hashable {
    /// `--max-request-body-size`. Longer bodies: 413. 1 MiB: nginx's default. A route may have its
    /// own.
    public var bodyByteLimit = 1 << 20
    /// `--request-body-timeout`. How long a body may take to come, as a whole; then 408. 30 s: a
    /// body of the greatest length at 35 KiB/s.
    public var bodyTimeout: Duration = .seconds(30)
    /// `--max-held-bodies-size`. What may be kept, in bytes, of all bodies that come or whose hooks
    /// run; a request that brings more: 503. 64 MiB.
    public var heldBodiesByteLimit = 1 << 26
    /// `--http-timeout`. How long the hook may take; then 503, and its task is cancelled. 60 s:
    /// what proxies wait for an answer.
    public var timeout: Duration = .seconds(60)

    public init() {}
}
