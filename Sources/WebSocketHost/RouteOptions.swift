import Topics
import WebSocketConnection
import WebSocketProtocol

/// What a handler says beside the hooks that every connection has: settings of its route, and hooks
/// that most handlers do without. ``WebSocketHandler``'s initialisers document each.
struct RouteOptions: Sendable {
    var controlHooks: ControlHooks
    var whileServing: WebSocketHandler.WhileServing?
    var feed: WebSocketHandler.WhileServing?
    var http: WebSocketHandler.HTTP?
    // `nil` leaves the server's.
    var maxMessageSize: Int?
    var maxReceiveQueueSize: Int?
    var messageRate: MessageRate?
    var maxBodySize: Int?
    var allowedOrigins: AllowedOrigins?
    var compression: CompressionSettings.Mode?
    var slowSubscribers: SlowSubscriberPolicy?

    init(
        maxMessageSize: Int?, maxReceiveQueueSize: Int?, messageRate: MessageRate?,
        maxBodySize: Int?,
        allowedOrigins: AllowedOrigins?,
        compression: CompressionSettings.Mode?, slowSubscribers: SlowSubscriberPolicy?,
        onPing: WebSocketHandler.ControlFrame?, onPong: WebSocketHandler.ControlFrame?,
        answersPings: Bool, whileServing: WebSocketHandler.WhileServing?,
        feed: WebSocketHandler.WhileServing?, http: WebSocketHandler.HTTP?
    ) {
        controlHooks = ControlHooks(onPing: onPing, onPong: onPong, answersPings: answersPings)
        self.whileServing = whileServing
        self.feed = feed
        self.http = http
        self.maxMessageSize = maxMessageSize
        self.messageRate = messageRate
        self.maxBodySize = maxBodySize
        self.maxReceiveQueueSize = maxReceiveQueueSize.map { max(1, $0) }
        self.allowedOrigins = allowedOrigins
        self.compression = compression
        self.slowSubscribers = slowSubscribers
    }

    func apply(to settings: inout ConnectionSettings) {
        if let maxMessageSize { settings.messageByteLimit = maxMessageSize }
        if let maxReceiveQueueSize { settings.receiveQueueByteLimit = maxReceiveQueueSize }
        if let messageRate { settings.messageRate = messageRate }
        if let compression { settings.compression.mode = compression }
    }
}
