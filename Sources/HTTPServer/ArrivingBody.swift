import EventLoop
import HTTPProtocol

/// The body of one request on its way in: within its limit, within a time for all of it, and
/// counted with the bodies of all other requests that are kept.
///
/// Belongs to its loop's thread.
package final class ArrivingBody {
    package enum Progress {
        case incomplete
        /// What follows it is the next request.
        case complete
        /// ``HeldBodies`` has no room for what came.
        case noRoom
        /// The rest is not looked for: the connection ends after this answer.
        case refused(Response)
    }

    private var reader: RequestBodyReader
    private let loop: Loop
    private let timeout: Duration
    private let held: HeldBodies?
    /// Called once if it does not come in time; ``late`` is the answer then.
    package var onTimeout: () -> Void = {}
    private var timer: EventLoop.Timer?
    /// As ``held`` has it.
    private var countedByteCount = 0

    /// - Parameters:
    ///   - timeout: how long it may take to come.
    ///   - held: `nil`: it is not counted.
    /// - Throws: if the announced length is over the limit.
    package init(
        _ framing: BodyFraming, byteLimit: Int, timeout: Duration, on loop: Loop,
        held: HeldBodies? = nil
    ) throws(RequestBodyError) {
        reader = try RequestBodyReader(framing, byteLimit: byteLimit)
        self.loop = loop
        self.timeout = timeout
        self.held = held
    }

    /// 408, for a body that did not come in time.
    package static var late: Response {
        Response(.requestTimeout, text: "The request body did not arrive in time.")
    }

    /// What has come of it.
    package var content: [UInt8] { reader.content }

    /// Takes what has come behind the head and belongs to the body.
    package func take(from exchange: Exchange) -> Progress {
        do throws(RequestBodyError) {
            try exchange.takePipelined { bytes throws(RequestBodyError) in try reader.read(bytes) }
        } catch {
            return .refused(Response(error.status, text: "\(error)"))
        }
        guard isCounted() else { return .noRoom }
        if reader.isComplete {
            cancelTimer()
            return .complete
        }
        watch()
        return .incomplete
    }

    /// Counts what came; false if there is no room for it.
    private func isCounted() -> Bool {
        let more = reader.content.count - countedByteCount
        guard let held, more > 0 else { return true }
        countedByteCount += more
        return held.countIn(more)
    }

    private func watch() {
        guard timer == nil else { return }
        let timer = loop.makeTimer { [weak self] in self?.onTimeout() }
        loop.schedule(timer, after: timeout)
        self.timer = timer
    }

    private func cancelTimer() {
        if let timer { loop.cancel(timer) }
    }

    /// It is kept no more, and not waited for. A second call does nothing.
    package func drop() {
        cancelTimer()
        held?.countOut(countedByteCount)
        countedByteCount = 0
    }
}
