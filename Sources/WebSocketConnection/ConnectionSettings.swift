import WebSocketProtocol

/// The limits and waits of an open connection, the same for both ends.
///
/// Byte counts are bytes, waits are `Duration`. The command line's option for each is named beside
/// it.
public struct ConnectionSettings: Sendable, Hashable {
    /// `--max-message-size`. Longer messages: 1009. 1 MiB as in Python websockets and websocketd.
    public var messageByteLimit = 1 << 20
    /// `--max-receive-queue-size`. Messages read ahead of a handler that does not receive, complete
    /// or not; over it the peer has to wait. What is read at once, up to 256 KiB, goes over it.
    public var receiveQueueByteLimit = 65_536
    /// How many such messages, however small.
    public var receiveQueueCountLimit = 64
    /// `--messages-per-second`, `--message-burst`. How many messages one peer may send; one that
    /// sends more has to wait, or is closed. Any number, unless given.
    public var messageRate = MessageRate.unlimited
    /// `--max-queue-size`. What may wait to be sent to one peer, when several tasks send to it at
    /// once; over it `send` throws.
    public var sendQueueByteLimit = 1 << 20
    /// The mark in that queue above which `send` waits; 64 KiB as in uWebSockets.
    public var sendQueueByteMark = 65_536

    /// `--ping-interval`. After this long without a byte from the peer it gets a Ping; zero: never.
    /// 20 s as in Python websockets: below the 30 s after which some proxies forget a connection.
    public var pingInterval: Duration = .seconds(20)
    /// `--ping-timeout`. How long nothing may come after that Ping before the connection is
    /// dropped. It begins again while the peer reads what was sent before.
    public var pingTimeout: Duration = .seconds(20)
    /// `--close-timeout`. How long to wait for the answer to a Close, for the peer's end of TCP,
    /// and for a handler that goes on after its connection has ended before its task is cancelled.
    public var closeTimeout: Duration = .seconds(5)

    /// `--compression` and its relatives: whether and how messages are compressed (RFC 7692).
    public var compression = CompressionSettings()
    /// `--compression-idle-timeout`. When context is kept between messages: how long until the
    /// memory of a connection that compresses nothing is given back, all but what the peer may
    /// refer to.
    public var compressionIdleTimeout: Duration = .seconds(30)

    public init() {}
}
