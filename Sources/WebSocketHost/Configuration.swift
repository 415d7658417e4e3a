import HTTPProtocol

/// Every limit, wait and address of a server, with its default and where that comes from.
///
/// Byte counts are bytes, waits are `Duration`. The command line's option for each is named beside
/// it.
public struct Configuration: Sendable {
    /// `-H`. A name, an address, or `*` for every address. `localhost` is 127.0.0.1 and ::1: a
    /// server made for trying things out is not open to the network by default.
    public var host = "localhost"
    /// `-p`. 0: any free one.
    public var port: UInt16 = 9998
    /// `--listen`, `--tls-port`. Where the server listens, if that is more than one place or a
    /// Unix-domain socket; empty: at ``host`` and ``port``, with TLS if ``tls`` is not `nil`.
    /// Handlers, topics and limits are the same for all.
    public var listeners: [ListenerSettings] = []
    /// `-q`. Connections that may wait to be accepted; pywebsocket3's 128 is little for a burst,
    /// and the kernel caps it (4,096 on Linux).
    public var backlog = 1_024
    /// `--threads`. Event loops, one thread each; `nil`: one per processor.
    public var threadCount: Int?
    /// `--spare-threads`. Event loops that are started, one by one, for new connections while
    /// handlers block all others; 0: new connections wait then. They stay until the server ends.
    public var spareLoopLimit = 8
    /// How long a turn of an event loop may take before new connections are given to others. 100 ms
    /// is what people notice.
    public var stalledLoopLimit: Duration = .milliseconds(100)

    /// `--max-head-size`. Longer request heads: 431.
    public var headByteLimit = 16_384
    /// Fields in a request head; more: 431.
    public var fieldCountLimit = 128
    /// `--handshake-timeout`. What a client has for each request head; then it is closed.
    public var handshakeTimeout: Duration = .seconds(10)
    /// `--send-timeout`. How long a client may read nothing of an answer; then it is closed. 60 s:
    /// nginx's `send_timeout`.
    public var sendTimeout: Duration = .seconds(60)

    /// `--base-path`. Below which path everything is; `nil`: below `/`. Handlers see paths without
    /// it; other requests get 404.
    public var basePath: BasePath?

    /// `-d`. The folder whose files are served; `nil`: no files are.
    public var documentRoot: DocumentRoot?
    /// `--directory-listing`. Whether a folder without an `index.html` is listed.
    public var listsDirectories = false
    /// The limits of scripts in the document root's script folders (`-x`).
    public var cgi = CGISettings()
    /// The limits of the hook `http` of handlers.
    public var http = HTTPSettings()
    /// `--basic-auth`. The users who may request anything; `nil`: everyone may.
    public var basicAuthentication: BasicAuthentication?

    /// `--health-path`. Where anybody may ask whether clients should be sent here: 200 or 503;
    /// `nil`: nowhere.
    public var healthPath: String?
    /// `--admin-listen`. Where the owner asks, such as over a network; `nil`: nowhere. Nobody is
    /// asked for a password there, so it should be an address that nobody else reaches.
    public var adminListener: ListenerSettings?
    /// The limits of what the owner asks.
    public var admin = AdminSettings()

    /// `--max-connections`. Open connections in all; more: 503. The descriptor limit may lower it.
    public var connectionLimit = 10_000
    /// `--max-connections-per-address`. Open connections of one client, over all server processes
    /// of a supervisor; more: 429. A client is an IPv4 address, or a /64 network of IPv6; behind
    /// ``proxies`` it is who they say. `nil`: any number.
    public var connectionsPerAddressLimit: Int?
    /// `--handshakes-per-minute`. What one client may open in a minute, over all server processes
    /// of a supervisor, with handshakes that are refused for other reasons; more: 429. So many may
    /// come at once; then one each time that its part of a minute has passed. `nil`: any number.
    public var handshakesPerMinuteLimit: Int?
    /// `--max-unfinished-size`. What may be kept of messages that are not complete, of all
    /// connections together; over it the message that began first is given up, with close 1013.
    /// Beginnings below 16 KiB do not count. 256 MiB: 256 messages of the greatest length.
    public var unfinishedMessagesByteLimit = 256 << 20
    /// `--origin`. Who may open a connection from a browser, or have a hook `http` change
    /// something; others: 403.
    public var allowedOrigins: AllowedOrigins = .any
    /// `-V`. The host that a request line of the absolute form has to name (RFC 9112 §3.2.2),
    /// others: 421; `nil`: any. Request lines without a host are not concerned.
    public var validationHost: String?
    /// `-P`. The port that such a request line has to name, or has by its scheme: 80 for `ws` and
    /// `http`, 443 for `wss` and `https`; `nil`: any.
    public var validationPort: UInt16?

    /// `--trusted-proxies`, `--proxy-headers`, `--proxy-protocol`. Whose word about clients counts.
    public var proxies = ProxySettings()

    /// `-t`, `-c`, `-k`, `--tls-client-auth`. Certificates, and whether clients have to show one;
    /// `nil`: no TLS, and no listener may want it. The files are read when the server starts, and
    /// again when they have changed.
    public var tls: TLSConfiguration?

    /// The limits and waits of each connection once it is open; a route may have its own.
    public var connection = ConnectionSettings()
    /// `--drain-timeout`. From the first signal to stop until connections are dropped.
    public var drainTimeout: Duration = .seconds(10)
    /// How long a handler may keep its thread before a warning names it.
    public var blockedLoopThreshold: Duration = .seconds(1)
    /// `--thread-monitor-interval-in-sec`. How often each loop logs what it has to do; `nil`:
    /// never.
    public var loopReportInterval: Duration?

    /// How much code that blocks may run at a time, for ``offload(_:)``. The threads are the
    /// process's: the server that was started last sets the limits.
    public var offload = OffloadSettings()

    /// The limits of topics. The longest message is ``ConnectionSettings/messageByteLimit`` of
    /// ``connection``.
    public var topics = TopicSettings()

    /// `--index-page`, `--no-index-page`. Whether the page at `/` lists the routes, with forms to
    /// try them and what the compiler said; `nil`: where all addresses that the server listens on
    /// are loopback addresses, and none is a Unix-domain socket.
    public var showsIndexPage: Bool?
    /// `--server-name`. Hosts, without a port, by which browsers may ask for that page, beside
    /// localhost, ``host`` and the address that they connected to; others: 421. Handlers and files
    /// answer to any.
    public var serverNames: [String] = []

    /// `--watch`. Whether the index page follows ``Server/show(failure:)`` and ``Server/retire()``.
    public var showsChanges = false

    public init() {}
}

/// Which `Origin` of a handshake is admitted (RFC 6455 §10.2).
public enum AllowedOrigins: Sendable, Hashable {
    /// All, as in pywebsocket3.
    case any
    /// The page's host and port must be those of the server, as the client named them.
    case same
    /// These, spelt as browsers send them: `https://example.com`. A client without an Origin is not
    /// a browser and is admitted.
    case list([String])
}
