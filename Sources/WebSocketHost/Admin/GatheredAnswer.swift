import HTTPProtocol
import HTTPServer

/// An answer that loops and processes have to be asked for first.
///
/// Belongs to its loop's thread.
final class GatheredAnswer: OngoingAnswer {
    /// `nil` once it is answered, or cannot be any more.
    private weak var exchange: Exchange?
    private let request: Request
    private let gather: (_ then: @escaping (Response) -> Void) -> Void

    /// - Parameter gather: asks; calls its parameter once, within a time limit.
    init(
        _ exchange: Exchange, _ request: Request,
        gather: @escaping (_ then: @escaping (Response) -> Void) -> Void
    ) {
        self.exchange = exchange
        self.request = request
        self.gather = gather
    }

    var needsClientEnd: Bool { false }

    func begin() { gather { [self] in answer($0) } }

    private func answer(_ response: Response) { exchange.take()?.respond(response, to: request) }

    func bytesArrived() {}
    func clientEnded() {}
    func drained() {}
    func abandon() { exchange = nil }
    func ownerLeaves() { answer(AdminListener.leaving) }
}
