import CommandLineOptions
import WebSocketHost
import WebSocketProtocol

extension ServerOptions {
    static let limits: [ServerOption] = [
        byteLimit(
            "max-message-size", \.connection.messageByteLimit, 1,
            "longest message; a longer one gets close 1009"),
        byteLimit(
            "max-head-size", \.headByteLimit, 64, "longest request head; a longer one gets 431"),
        byteLimit(
            "max-queue-size", \.connection.sendQueueByteLimit, 1,
            "most bytes that may wait for one client; beyond that send throws"),
        byteLimit(
            "max-receive-queue-size", \.connection.receiveQueueByteLimit, 1,
            "most bytes read ahead of a busy handler, complete messages or not; then the client "
                + "waits"),
        byteLimit(
            "max-unfinished-size", \.unfinishedMessagesByteLimit, 1,
            "most bytes of messages that are not complete, of all clients together; beyond that "
                + "the one that began first gets close 1013"),
        byteLimit(
            "max-request-body-size", \.requestBodyByteLimit, 0,
            "longest request body for a script or a handler's http; a longer one gets 413"),
        byteLimit(
            "max-held-bodies-size", \.http.heldBodiesByteLimit, 1,
            "most bytes of all request bodies that come for handlers' http or are being answered; "
                + "more get 503"),
        byteLimit(
            "cgi-max-waiting-body-size", \.cgi.waitingBodyByteLimit, 1,
            "most bytes of all bodies whose scripts do not run yet; more get 503"),
        byteLimit(
            "cgi-max-output-size", \.cgi.outputByteLimit, 1,
            "most bytes that a script may write; then it is killed"),
        count(
            "cgi-max-processes", \.cgi.processCountLimit, 1...10_000,
            "scripts that run at a time; more get 503"),
        count(
            "offload-threads", \.offload.threadCountLimit, 1...10_000,
            "calls of offload { … } in handlers that run at a time, each on a thread of its own"),
        count(
            "offload-queue", \.offload.waitingCallLimit, 0...10_000_000,
            "such calls that may wait for a thread; more throw"),
        ServerOption(
            name: "max-connections", value: "COUNT",
            help: "open connections in all, default \(defaults.connectionLimit); more get 503"
        ) { settings, text, option throws(UsageError) in
            settings.configuration.connectionLimit = try Values.integer(
                text, 1...10_000_000, option)
        }.byDefault(defaults.connectionLimit),
    ]

    static let compression: [ServerOption] = [
        ServerOption(
            name: "compression", value: "MODE",
            help: "shared (default): no context is kept between messages, and an idle connection "
                + "needs no memory for it; dedicated: better ratio, up to 300 KiB each; off"
        ) { settings, text, option throws(UsageError) in
            settings.configuration.connection.compression.mode = try Values.compressionMode(
                text, option)
        }.byDefault(defaults.connection.compression.mode.rawValue)
            .offering(CompressionSettings.Mode.allCases.map(\.rawValue)),
        ServerOption(
            name: "compression-threshold", value: "BYTES",
            help: "shorter messages are sent uncompressed, default "
                + "\(defaults.connection.compression.thresholdByteCount)"
        ) { settings, text, option throws(UsageError) in
            settings.configuration.connection.compression.thresholdByteCount = try Values.bytes(
                text, atLeast: 0, option)
        }.byDefault(defaults.connection.compression.thresholdByteCount),
        count(
            "compression-level", \.connection.compression.level, 1...9,
            "1: fastest, 9: smallest"),
        count(
            "compression-window-bits", \.connection.compression.windowBits, 9...15,
            "dedicated: the context that is kept has at most 2 to this power bytes"),
        count(
            "compression-memory-level", \.connection.compression.memoryLevel, 1...9,
            "dedicated: zlib's memory level; more memory is faster and compresses better"),
        wait(
            "compression-idle-timeout", \.connection.compressionIdleTimeout,
            "dedicated: until an idle connection's memory is given back"),
    ]

    static let waits: [ServerOption] = [
        wait("handshake-timeout", \.handshakeTimeout, "for a request head to arrive"),
        wait(
            "ping-interval", \.connection.pingInterval, isZeroAllowed: true,
            "of silence from a client before it gets a Ping; 0: never"),
        wait("ping-timeout", \.connection.pingTimeout, "for a sign of life after that Ping"),
        wait("close-timeout", \.connection.closeTimeout, "for the answer to a Close"),
        wait("send-timeout", \.sendTimeout, "for a client to read some of a response"),
        wait(
            "request-body-timeout", \.http.bodyTimeout,
            "for a request's body for a handler's http"),
        wait("http-timeout", \.http.timeout, "for the answer of a handler's http; then 503"),
        wait("cgi-timeout", \.cgi.timeout, "for a script's output, and for a request's body"),
        wait(
            "drain-timeout", \.drainTimeout,
            "from SIGTERM or SIGINT until connections are dropped"),
    ]
}

extension Configuration {
    /// One limit for all bodies.
    fileprivate var requestBodyByteLimit: Int {
        get { http.bodyByteLimit }
        set {
            http.bodyByteLimit = newValue
            cgi.requestBodyByteLimit = newValue
        }
    }
}
