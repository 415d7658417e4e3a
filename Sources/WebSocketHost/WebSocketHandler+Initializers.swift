import Topics
import WebSocketConnection
import WebSocketProtocol

// The initialisers differ in what the hooks of a connection get. All other parameters are the
// same, in the same order, and each passes them on to RouteOptions: a new one is a property there,
// and two words in each of these.

extension WebSocketHandler {
    /// A handler whose first hook, if it has one, returns nothing that the second one needs.
    ///
    /// - Parameters:
    ///   - maxMessageSize: `nil`: ``ConnectionSettings/messageByteLimit``. In bytes.
    ///   - maxReceiveQueueSize: `nil`: ``ConnectionSettings/receiveQueueByteLimit``. In bytes; at
    ///     least 1.
    ///   - messageRate: how many messages a client may send in a second, and whether one that sends
    ///     more waits or is closed; `nil`: ``ConnectionSettings/messageRate``.
    ///   - maxBodySize: of a request for `http`; `nil`: ``HTTPSettings/bodyByteLimit``. In bytes.
    ///   - allowedOrigins: `nil`: ``Configuration/allowedOrigins``.
    ///   - compression: `nil`: ``CompressionSettings/mode-swift.property`` of the server; `.off`:
    ///     none.
    ///   - slowSubscribers: what happens if a client reads too slowly what is published to its
    ///     topics; `nil`: ``TopicSettings/slowSubscribers``.
    ///   - onPing: called for each Ping of the client when its Pong is on its way, with its
    ///     payload. Like `onPong`, on the thread of the event loop, in the order of the frames, and
    ///     not awaited.
    ///   - onPong: called for each Pong, whether it answers a Ping or not.
    ///   - answersPings: false leaves that to the handler, or undone; for tests of clients.
    ///   - whileServing: runs in each server process, without a connection: from when it begins to
    ///     accept until it stops, or has been replaced and its last connection has ended. Then its
    ///     task is cancelled. It runs on the thread of an event loop, and once for the handler, on
    ///     however many paths. If it throws, that is logged, and it begins again after 1 s, later
    ///     after up to 60 s; if it returns, it has ended.
    ///   - feed: the same, but once over all processes of a supervisor: the newest one that serves
    ///     has it. Without a supervisor it begins and ends with the server. What it publishes after
    ///     it was told to end is dropped.
    ///   - http: answers requests for the handler's path that are no handshakes, of whatever
    ///     method; `nil`: they get 426. One whose `Origin` may not connect is answered with 403,
    ///     unless it only reads (`GET`, `HEAD`). Throwing ``HandshakeRejection`` answers with that,
    ///     any other error with 500. It has ``HTTPSettings/timeout``, and its task is cancelled
    ///     when the client is gone.
    ///   - doExtraHandshake: called before the handshake is answered. Reads the request, chooses
    ///     the subprotocol, adds response fields; throws ``HandshakeRejection`` to answer
    ///     otherwise. Any other error: 403.
    ///   - transferData: talks. Returning closes with 1000, throwing with 1011.
    ///   - passiveClosingHandshake: the Close that answers the client's; `nil`: the same code and
    ///     reason (RFC 6455 §5.5.1). Throwing drops the connection without an answer. The other
    ///     initialisers take one that gets the socket, too.
    public init(
        maxMessageSize: Int? = nil, maxReceiveQueueSize: Int? = nil,
        messageRate: MessageRate? = nil, maxBodySize: Int? = nil,
        allowedOrigins: AllowedOrigins? = nil, compression: CompressionSettings.Mode? = nil,
        slowSubscribers: SlowSubscriberPolicy? = nil, onPing: ControlFrame? = nil,
        onPong: ControlFrame? = nil, answersPings: Bool = true,
        whileServing: WhileServing? = nil, feed: WhileServing? = nil, http: HTTP? = nil,
        doExtraHandshake: (@Sendable (inout HandshakeRequest) async throws -> Void)? = nil,
        transferData: @escaping TransferData,
        passiveClosingHandshake: PassiveClosingHandshake? = nil
    ) {
        hooks = Hooks(
            prepare: Self.preparing(doExtraHandshake, transferData), transferData: transferData,
            passiveClosingHandshake: passiveClosingHandshake.map(Self.withoutSocket),
            options: RouteOptions(
                maxMessageSize: maxMessageSize, maxReceiveQueueSize: maxReceiveQueueSize,
                messageRate: messageRate, maxBodySize: maxBodySize,
                allowedOrigins: allowedOrigins, compression: compression,
                slowSubscribers: slowSubscribers, onPing: onPing, onPong: onPong,
                answersPings: answersPings, whileServing: whileServing, feed: feed, http: http))
    }

    /// A handler whose last hook gets the socket, for a word before the Close that answers the
    /// client's.
    ///
    /// The parameters are as for the first initialiser.
    public init(
        maxMessageSize: Int? = nil, maxReceiveQueueSize: Int? = nil,
        messageRate: MessageRate? = nil, maxBodySize: Int? = nil,
        allowedOrigins: AllowedOrigins? = nil, compression: CompressionSettings.Mode? = nil,
        slowSubscribers: SlowSubscriberPolicy? = nil, onPing: ControlFrame? = nil,
        onPong: ControlFrame? = nil, answersPings: Bool = true,
        whileServing: WhileServing? = nil, feed: WhileServing? = nil, http: HTTP? = nil,
        doExtraHandshake: (@Sendable (inout HandshakeRequest) async throws -> Void)? = nil,
        transferData: @escaping TransferData,
        passiveClosingHandshake: @escaping @Sendable (WebSocket, Close) async throws -> Close
    ) {
        hooks = Hooks(
            prepare: Self.preparing(doExtraHandshake, transferData), transferData: transferData,
            passiveClosingHandshake: passiveClosingHandshake,
            options: RouteOptions(
                maxMessageSize: maxMessageSize, maxReceiveQueueSize: maxReceiveQueueSize,
                messageRate: messageRate, maxBodySize: maxBodySize,
                allowedOrigins: allowedOrigins, compression: compression,
                slowSubscribers: slowSubscribers, onPing: onPing, onPong: onPong,
                answersPings: answersPings, whileServing: whileServing, feed: feed, http: http))
    }

    /// A handler whose first hook returns what the second one needs: a user, a chat room, a
    /// database row.
    ///
    /// The parameters are as for the first initialiser.
    public init<Context: Sendable>(
        maxMessageSize: Int? = nil, maxReceiveQueueSize: Int? = nil,
        messageRate: MessageRate? = nil, maxBodySize: Int? = nil,
        allowedOrigins: AllowedOrigins? = nil, compression: CompressionSettings.Mode? = nil,
        slowSubscribers: SlowSubscriberPolicy? = nil, onPing: ControlFrame? = nil,
        onPong: ControlFrame? = nil, answersPings: Bool = true,
        whileServing: WhileServing? = nil, feed: WhileServing? = nil, http: HTTP? = nil,
        doExtraHandshake: @escaping @Sendable (inout HandshakeRequest) async throws -> Context,
        transferData: @escaping @Sendable (WebSocket, Context) async throws -> Void,
        passiveClosingHandshake: PassiveClosingHandshake? = nil
    ) {
        hooks = Hooks(
            prepare: { request in
                let context = try await doExtraHandshake(&request)
                return { socket in try await transferData(socket, context) }
            },
            transferData: { _ in },
            passiveClosingHandshake: passiveClosingHandshake.map(Self.withoutSocket),
            options: RouteOptions(
                maxMessageSize: maxMessageSize, maxReceiveQueueSize: maxReceiveQueueSize,
                messageRate: messageRate, maxBodySize: maxBodySize,
                allowedOrigins: allowedOrigins, compression: compression,
                slowSubscribers: slowSubscribers, onPing: onPing, onPong: onPong,
                answersPings: answersPings, whileServing: whileServing, feed: feed, http: http))
    }

    /// A handler whose last hook, too, gets what the first one returned, and the socket.
    ///
    /// The parameters are as for the first initialiser.
    public init<Context: Sendable>(
        maxMessageSize: Int? = nil, maxReceiveQueueSize: Int? = nil,
        messageRate: MessageRate? = nil, maxBodySize: Int? = nil,
        allowedOrigins: AllowedOrigins? = nil, compression: CompressionSettings.Mode? = nil,
        slowSubscribers: SlowSubscriberPolicy? = nil, onPing: ControlFrame? = nil,
        onPong: ControlFrame? = nil, answersPings: Bool = true,
        whileServing: WhileServing? = nil, feed: WhileServing? = nil, http: HTTP? = nil,
        doExtraHandshake: @escaping @Sendable (inout HandshakeRequest) async throws -> Context,
        transferData: @escaping @Sendable (WebSocket, Context) async throws -> Void,
        passiveClosingHandshake:
            @escaping @Sendable (WebSocket, Context, Close) async throws -> Close
    ) {
        hooks = Hooks(
            prepare: { request in
                let context = try await doExtraHandshake(&request)
                request.passiveClosingHandshake = { socket, close in
                    try await passiveClosingHandshake(socket, context, close)
                }
                return { socket in try await transferData(socket, context) }
            },
            transferData: { _ in }, passiveClosingHandshake: nil,
            options: RouteOptions(
                maxMessageSize: maxMessageSize, maxReceiveQueueSize: maxReceiveQueueSize,
                messageRate: messageRate, maxBodySize: maxBodySize,
                allowedOrigins: allowedOrigins, compression: compression,
                slowSubscribers: slowSubscribers, onPing: onPing, onPong: onPong,
                answersPings: answersPings, whileServing: whileServing, feed: feed, http: http))
    }
}

extension WebSocketHandler {
    private static func preparing(
        _ doExtraHandshake: (@Sendable (inout HandshakeRequest) async throws -> Void)?,
        _ transferData: @escaping TransferData
    ) -> (@Sendable (inout HandshakeRequest) async throws -> TransferData)? {
        guard let doExtraHandshake else { return nil }
        return { request in
            try await doExtraHandshake(&request)
            return transferData
        }
    }

    private static func withoutSocket(
        _ hook: @escaping PassiveClosingHandshake
    ) -> PassiveClosingHook {
        { _, close in try await hook(close) }
    }
}
