import EventLoop
import Logging
import WebSocketProtocol

// Frames are counted by their headers, as the session reads them. So a connection without a rate
// pays nothing for it. While it is held, no more is parsed, as if its inbox were full.

extension Connection {
    /// Once, before the first byte is parsed.
    func limitMessages(_ rate: MessageRate) {
        guard let limit = rate.limit else { return }
        let timer = loop.makeTimer { [weak self] in self?.releaseMessages() }
        makeWaits().messageBudget = MessageBudget(limit, rate, timer)
        let observer = session.frameObserver
        // The session is this connection's, and calls nobody once that is gone.
        session.frameObserver = { [unowned self] header in
            observer?(header)
            count(header)
        }
    }

    /// Whether the peer waits because of its rate, so that it is not to blame for its silence.
    var isHeldForRate: Bool { waits?.messageBudget?.phase == .held }

    /// Whether a message is the one that was too many.
    var hasExceededRate: Bool { waits?.messageBudget?.phase == .exceeded }

    /// The session is in use meanwhile: nothing here may touch it.
    private func count(_ header: FrameHeader) {
        guard case .open = phase, let budget = waits?.messageBudget,
            MessageRate.counts(header, isPongDue: traffic.unansweredPingCount > 0)
        else { return }
        let now = loop.now
        let limit = budget.limit
        let isOver = limit.moment(ofTokens: 1, before: budget.full) > now
        if isOver && budget.rate.excess == .closes { return exceed(budget) }
        budget.full = limit.taking(from: budget.full, at: now)
        if isOver { hold(budget) }
    }

    // MARK: - The peer waits

    private func hold(_ budget: MessageBudget) {
        inbox.isHeld = true
        budget.phase = .held
        loop.schedule(
            budget.timer,
            at: budget.limit.moment(ofTokens: budget.resumingTokenCount, before: budget.full))
        guard !budget.isLogged else { return }
        budget.isLogged = true
        log.peerEvent(
            .limitedMessages, .info,
            "slowed \(endpoint.name) \(stream.peer): \(describe(budget.rate))")
    }

    private func releaseMessages() {
        guard let budget = waits?.messageBudget, budget.phase == .held else { return }
        budget.phase = .flowing
        inbox.isHeld = false
        readOn()
    }

    // MARK: - The peer is closed

    private func exceed(_ budget: MessageBudget) {
        guard budget.phase != .exceeded else { return }
        inbox.isHeld = true
        budget.phase = .exceeded
        let reason = describe(budget.rate)
        // When the session is free again.
        loop.submit { [self] in
            guard !isDone else { return }
            log.peerEvent(
                .limitedMessages, .info, "closed \(endpoint.name) \(stream.peer): \(reason)")
            sendClose(Close(.policyViolation, reason: reason))
        }
    }

    private func describe(_ rate: MessageRate) -> String {
        let count = rate.messagesPerSecond
        return "more than \(count) message\(count == 1 ? "" : "s") a second "
            + "(--messages-per-second)"
    }
}
