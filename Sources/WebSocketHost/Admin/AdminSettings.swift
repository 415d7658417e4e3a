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

    public init() {}
}
