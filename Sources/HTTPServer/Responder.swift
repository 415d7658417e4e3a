/// Answers some of the requests. A server has an ordered list of them, and asks one after the
/// other.
///
/// Called on the loop's thread.
package protocol Responder: AnyObject {
    /// - Parameter request: may be changed for the responders that follow.
    func respond(to request: inout Request, _ exchange: Exchange) -> Reply
}

/// What a responder does with a request.
package enum Reply {
    /// The next one is asked.
    case pass
    case response(Response)
    /// The responder has written the answer, or will: ``Exchange/respond(_:to:)`` or
    /// ``Exchange/choose(_:)`` is called on the loop's thread, in any case.
    case later
    /// The answer gets the calls below until it is finished.
    case answering(any OngoingAnswer)
}

/// An answer that takes its time. Called on the loop's thread.
package protocol OngoingAnswer: AnyObject {
    /// Whether the stream is read on even if nobody takes the bytes: to see the client's end.
    var needsClientEnd: Bool { get }
    /// The exchange waits for the answer from now on.
    func begin()
    /// There is more in ``Exchange/takePipelined()``.
    func bytesArrived()
    /// The client sends no more.
    func clientEnded()
    /// The client has read what was queued, after ``Exchange/watchSending()``.
    func drained()
    /// The connection is gone: the last call.
    func abandon()
    /// New requests go to another process. An answer that was not begun for want of time may be
    /// left to that: 503, and the client asks again.
    func ownerLeaves()
}

extension OngoingAnswer {
    package func ownerLeaves() {}
}
