import EventLoop
import Glibc
import HTTPProtocol
import Logging

/// The exchanges of one loop, and what they share. Belongs to the loop's thread.
package final class Exchanges {
    package let loop: Loop
    package let log: Log
    package let settings: ExchangeSettings
    /// Asked in their order. Set before the loop begins.
    @exclusivity(unchecked) package var responders: [any Responder] = []
    /// New requests go to another process: an answer is the last of its connection.
    @exclusivity(unchecked) package private(set) var isLeaving = false
    @exclusivity(unchecked) private var members = Roster<Exchange>()
    private var dates = DateTexts()
    /// Called for each request for another protocol that gets an answer instead.
    ///
    /// - Parameter status: `nil`: the connection is closed without an answer.
    @exclusivity(unchecked) package var onRefusedUpgrade: (Request, _ status: Status?) -> Void = {
        _, _ in
    }
    /// Called for each exchange whose connection is gone.
    @exclusivity(unchecked) package var onLeave: (_ stream: ObjectIdentifier) -> Void = { _ in }

    /// How many refused clients may be reading their answer at once; more are closed without one.
    package static let refusalLimit = 128
    private static let refusalLinger: Duration = .seconds(1)
    private var refusalCount = 0

    package init(on loop: Loop, log: Log, _ settings: ExchangeSettings) {
        self.loop = loop
        self.log = log
        self.settings = settings
    }

    /// Begins an exchange.
    ///
    /// - Parameters:
    ///   - user: the client's, where that is known before the first request.
    ///   - localAddress: this end of the connection; `nil`: the kernel is asked.
    package func begin(
        _ stream: Stream, user: String? = nil, localAddress: SocketAddress? = nil
    ) {
        let exchange = Exchange(stream, owner: self, user: user, localAddress: localAddress)
        members.add(exchange)
        exchange.start()
    }

    /// Answers a connection that is not served, and closes it.
    package func refuse(_ stream: Stream, _ response: Response) {
        guard refusalCount < Self.refusalLimit else { return stream.close() }
        refusalCount += 1
        stream.delegate = Refusal { [weak self] in self?.refusalCount -= 1 }
        stream.write(response.bytes(isHead: false, isLast: true, date: dateText))
        stream.closeAfterSending(linger: Self.refusalLinger)
    }

    package var count: Int { members.count }
    package var isEmpty: Bool { members.isEmpty }
    package var queuedByteCount: Int {
        members.members.reduce(0) { $0 + $1.stream.queuedByteCount }
    }

    /// New requests go to another process from now on.
    package func leave() {
        isLeaving = true
        for exchange in members.members { exchange.answer?.ownerLeaves() }
    }

    /// Answers nothing any more. Every client that asks, or may be about to, is told so and may ask
    /// again elsewhere: what it has no answer for was not done.
    ///
    /// - Parameter response: the last one of each connection, whether it is a request's or not. An
    ///   answer that has begun gives its own, in ``OngoingAnswer/ownerLeaves()``.
    package func leave(telling response: Response) {
        leave()
        for exchange in members.members { exchange.endIfUnanswered(response) }
    }

    /// Closes the connections that were answered and wait for another request.
    package func closeKept() {
        for exchange in members.members { exchange.closeIfKept() }
    }

    /// Closes the connections that are between two requests.
    package func closeIdle() {
        for exchange in members.members { exchange.closeIfIdle() }
    }

    /// Closes all connections and forgets them.
    package func dropAll() {
        for exchange in members.members { exchange.close() }
        members.removeAll()
    }

    func remove(_ exchange: Exchange) {
        if members.remove(exchange) { onLeave(ObjectIdentifier(exchange.stream)) }
    }

    /// An exchange whose stream is another owner's.
    func forget(_ exchange: Exchange) { _ = members.remove(exchange) }

    /// The time, as an answer's `Date` has it.
    var dateText: String { dateText(secondsSince1970: time(nil)) }

    func dateText(secondsSince1970 seconds: Int) -> String {
        dates.text(secondsSince1970: seconds)
    }
}

/// A stream that is sent one answer and not listened to.
private final class Refusal: StreamDelegate {
    private let onClose: () -> Void
    init(_ onClose: @escaping () -> Void) { self.onClose = onClose }
    func streamReceived(_ bytes: UnsafeMutableRawBufferPointer) {}
    func streamReachedEnd() {}
    func streamDrained() {}
    func streamFailed(_ error: SystemError) {}
    func streamClosed() { onClose() }
}
