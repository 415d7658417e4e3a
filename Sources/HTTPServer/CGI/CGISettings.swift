/// The limits of scripts (RFC 3875). Which paths lead to some says ``DocumentRoot``.
public struct CGISettings: Sendable, Hashable {
    /// `--cgi-timeout`. How long a script may be silent, and a request's body may take to come;
    /// then the script is killed. 30 s: a browser's user has left by then.
    public var timeout: Duration = .seconds(30)
    /// `--cgi-max-output-size`. Longer answers are cut off. 64 MiB.
    public var outputByteLimit = 1 << 26
    /// `--cgi-max-processes`. Scripts that run at a time; more requests: 503. 32, each with a body
    /// in memory. A request counts from when its script starts: when its body has come.
    public var processCountLimit = 32
    /// `--max-request-body-size`. Longer bodies: 413. 1 MiB: nginx's default; it is held in memory
    /// until the script runs, which gets its length.
    public var requestBodyByteLimit = 1 << 20
    /// `--cgi-max-waiting-body-size`. What may have come, in bytes, of all bodies whose scripts do
    /// not run yet; a request that brings more: 503. 64 MiB.
    public var waitingBodyByteLimit = 1 << 26
    /// Longer heads of a script's answer: 502.
    public var headByteLimit = 16_384

    public init() {}
}
