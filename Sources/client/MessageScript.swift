import WebSocketProtocol

/// The messages of a one shot. An empty script means that lines are read from standard input.
struct MessageScript: Sendable, Equatable {
    /// `-m`: each message waits for the answer to the previous one.
    var exchanges: [String] = []
    /// `--send`, `--send-hex`: messages that are sent without waiting.
    var messages: [Message] = []
    /// `--expect`, `--expect-hex`: the messages that must arrive then, in this order.
    var expected: [Message] = []
    /// `--receive`
    var receiveCount: Int?
    var pings = false

    var isEmpty: Bool { self == MessageScript() }

    /// How many messages to wait for once ``messages`` are sent.
    var awaitedCount: Int { receiveCount ?? (expected.isEmpty ? messages.count : expected.count) }
}
