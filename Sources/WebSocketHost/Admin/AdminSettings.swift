/// The limits of what the owner of a server asks it, beside its public listeners.
public struct AdminSettings: Sendable, Hashable {
    /// Connections at a time, for each address; more: 503. Probes, a scraper and a person need
    /// some.
    public var connectionLimit = 64
    /// How long a connection may be idle, and a request head take. Longer than `publish` keeps one
    /// that it does not need.
    public var idleTimeout: Duration = .seconds(60)
    /// How long a client may read nothing of an answer; then it is closed.
    public var sendTimeout: Duration = .seconds(10)
    /// Longer request heads: 431.
    public var headByteLimit = 16_384

    /// How long the loops of one process are waited for. One that a handler blocks does not answer;
    /// all others need some milliseconds.
    public var loopTimeout: Duration = .seconds(1)
    /// The same of other processes of the server: longer, so that each can say which loops of its
    /// own do not answer.
    public var processTimeout: Duration = .seconds(2)

    public init() {}
}
