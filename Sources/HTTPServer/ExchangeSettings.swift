import HTTPProtocol

/// What the exchanges of a server are held to.
package struct ExchangeSettings: Sendable {
    package var headLimits: RequestHeadLimits
    /// What a client has for TLS and for each request head.
    package var headTimeout: Duration
    /// How long a client may read nothing of an answer.
    package var sendTimeout: Duration
    /// How long to wait for the client's end after the last answer.
    package var closeTimeout: Duration
    /// The protocol that a responder may upgrade connections to, as `Upgrade` names it; `nil`:
    /// none.
    package var upgradeProtocol: String?
    /// Whether each answer has a line in the log, of those that are whole in memory.
    package var logsAnswers = true
    /// Bytes taken behind a request that is still being answered; what is more waits in the kernel.
    /// A client of a handshake has to wait for the 101 (RFC 6455 §4.1), some send a first message
    /// at once.
    package let pipelinedByteLimit = 65_536

    package init(
        headLimits: RequestHeadLimits, headTimeout: Duration, sendTimeout: Duration,
        closeTimeout: Duration, upgradeProtocol: String?
    ) {
        self.headLimits = headLimits
        self.headTimeout = headTimeout
        self.sendTimeout = sendTimeout
        self.closeTimeout = closeTimeout
        self.upgradeProtocol = upgradeProtocol
    }
}
