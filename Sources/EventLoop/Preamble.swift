import Glibc

/// Reads the first bytes of an accepted connection, before TLS begins, and leaves what follows in
/// the socket.
///
/// | state | event | what is reported |
/// |---|---|---|
/// | waiting | `parse` knows how many bytes it wants | `complete`; they are taken from the socket |
/// | waiting | `parse` throws | `refused` |
/// | waiting | the time is over, the peer ends, ``close()`` | `lost` |
///
/// Belongs to its loop's thread, which keeps it while it waits.
package final class Preamble<Failure: Error>: EventSource {
    package enum Outcome {
        case complete
        case refused(Failure)
        case lost
    }

    /// - Returns: how many bytes the preamble has; `nil`: more than these.
    package typealias Parse = (UnsafeRawBufferPointer) throws(Failure) -> Int?

    private let accepted: AcceptedConnection
    private var descriptor: FileDescriptor?
    private let loop: Loop
    private let byteLimit: Int
    private let parse: Parse
    private let onEnd: (Outcome) -> Void
    private lazy var timer = loop.makeTimer { [unowned self] in end(.lost) }

    /// Begins to read.
    ///
    /// - Parameters:
    ///   - byteLimit: `parse` must have come to a decision by then.
    ///   - onEnd: called once, later. The connection is closed by then unless it is `complete`.
    package init(
        of accepted: AcceptedConnection, on loop: Loop, within timeout: Duration, byteLimit: Int,
        parse: @escaping Parse, onEnd: @escaping (Outcome) -> Void
    ) throws(SystemError) {
        self.accepted = accepted
        self.loop = loop
        self.byteLimit = byteLimit
        self.parse = parse
        self.onEnd = onEnd
        descriptor = accepted.descriptor.take()
        try descriptor?.watch([.readable, .hangUp, .edgeTriggered], by: self, on: loop)
        loop.schedule(timer, after: timeout)
    }

    package func ready(_ readiness: Readiness) {
        guard let fd = descriptor?.number else { return }
        let outcome = withUnsafeTemporaryAllocation(byteCount: byteLimit, alignment: 1) { room in
            // What is only looked at stays for TLS, or for the request.
            let count = recv(fd, room.baseAddress, room.count, Int32(MSG_PEEK))
            guard count > 0 else { return count < 0 && errno == EAGAIN ? nil : Outcome.lost }
            return decide(UnsafeRawBufferPointer(rebasing: room[..<count]), fd, room)
        }
        if let outcome {
            end(outcome)
        } else if readiness.contains(.hangUp) {
            end(.lost)
        }
    }

    private func decide(
        _ bytes: UnsafeRawBufferPointer, _ fd: Int32, _ room: UnsafeMutableRawBufferPointer
    ) -> Outcome? {
        do throws(Failure) {
            guard let count = try parse(bytes) else {
                return bytes.count == byteLimit ? .lost : nil
            }
            // They are there, so they come at once.
            return recv(fd, room.baseAddress, count, 0) == count ? .complete : .lost
        } catch {
            return .refused(error)
        }
    }

    private func end(_ outcome: Outcome) {
        guard var descriptor = descriptor.take() else { return }
        loop.cancel(timer)
        descriptor.unwatch()
        if case .complete = outcome { accepted.descriptor = consume descriptor }
        onEnd(outcome)
    }

    /// Gives the connection up.
    package func close() { end(.lost) }
}
