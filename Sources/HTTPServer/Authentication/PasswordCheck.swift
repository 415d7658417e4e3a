import EventLoop

/// A request that waits for its password to be computed, and goes on when it is right.
///
/// | phase     | event                                   | next   |
/// | --------- | --------------------------------------- | ------ |
/// | `new`     | the check has its place among others    | `open` |
/// | `new`     | too many wait: 503                      | `over` |
/// | `open`    | the verdict                             | `over` |
/// | `open`    | the client is gone: no verdict is asked | `over` |
/// | `open`    | the process leaves: 503 if it waits     | `over` |
///
/// `@unchecked Sendable`: touched on its loop's thread only.
final class PasswordCheck: OngoingAnswer, @unchecked Sendable {
    private enum Phase {
        case new
        case open(BasicAuthentication.Ticket)
        case over
    }

    private let exchange: Exchange
    private let request: Request
    private let authentication: BasicAuthentication
    private let candidate: BasicAuthentication.Candidate
    private var phase = Phase.new

    init(
        _ exchange: Exchange, _ request: Request, _ authentication: BasicAuthentication,
        _ candidate: BasicAuthentication.Candidate
    ) {
        self.exchange = exchange
        self.request = request
        self.authentication = authentication
        self.candidate = candidate
    }

    /// A body may come meanwhile, and waits in the kernel.
    var needsClientEnd: Bool { false }

    func begin() {
        let ticket = authentication.check(candidate, mayWait: !exchange.owner.isLeaving) {
            [self] verdict in exchange.loop.submit { self.decided(verdict) }
        }
        if let ticket { phase = .open(ticket) } else { respond(.busy) }
    }

    private func decided(_ verdict: BasicAuthentication.Verdict) {
        guard case .open = phase else { return }
        switch verdict {
        case .admitted(let user):
            phase = .over
            var request = request
            request.user = user
            exchange.choose(request)
        case .refused: respond(.unauthorized)
        case .busy: respond(.busy)
        }
    }

    private func respond(_ response: Response) {
        phase = .over
        exchange.respond(response, to: request)
    }

    func bytesArrived() {}

    /// A client that is gone looks like one that sends no more. To compute passwords for those who
    /// are gone would make all others wait.
    func clientEnded() { exchange.close() }

    func drained() {}

    func abandon() {
        if case .open(let ticket) = phase { authentication.cancel(ticket) }
        phase = .over
    }

    /// What takes over may compute it at once.
    func ownerLeaves() {
        if case .open(let ticket) = phase, authentication.cancel(ticket) { respond(.busy) }
    }
}
