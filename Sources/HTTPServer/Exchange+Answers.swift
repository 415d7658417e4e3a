import EventLoop
import HTTPProtocol

extension Exchange {
    package func respond(_ response: Response, to request: Request) {
        log(response, to: request)
        if request.isUpgrade { owner.onRefusedUpgrade(request, response.status) }
        respond(response, isLast: request.isLast, isHead: request.isHead)
    }

    func respond(_ response: Response, isLast: Bool, isHead: Bool = false) {
        let isLast = isLast || owner.isLeaving
        stream.write(response.bytes(isHead: isHead, isLast: isLast, date: owner.dateText))
        finishAnswer(isLast: isLast)
    }

    /// Begins an answer whose body follows with ``stream``'s writes, and ends with
    /// ``finishAnswer(isLast:)``. The caller logs it: ``log(_:_:byteCount:)``.
    ///
    /// - Returns: whether the connection ends after it: it was the last, or this process leaves.
    func writeHead(_ status: Status, _ fields: Fields, isLast: Bool) -> Bool {
        let isLast = isLast || owner.isLeaving
        stream.write(HeadWriter.answer(status, fields, isLast: isLast, date: owner.dateText))
        return isLast
    }

    /// An answer is written: the next request comes, or the end. A long answer is read by the
    /// client first, for as long as it goes on reading.
    func finishAnswer(isLast: Bool) {
        if stream.isOverDrainMark {
            enter(.sending(isLast: isLast))
            watchSending()
        } else if isLast || owner.isLeaving {
            closeAfterSending()
        } else {
            enter(.kept)
            if hasReachedEnd && pipelined.isEmpty { return endIfIdle() }
            waitForHead()
            parsePipelined()
        }
    }

    private func closeAfterSending() {
        loop.cancel(timer)
        enter(.over)
        stream.closeAfterSending(linger: owner.settings.closeTimeout)
    }

    /// Closes the connection at once.
    package func close() { stream.close() }

    /// Closes a kept connection that waits for another request: that one goes to another process. A
    /// client that has not asked for anything yet is still answered.
    func closeIfKept() {
        if case .kept = phase { closeAfterSending() }
    }

    /// Ends the connection with this response if no request is being answered.
    func endIfUnanswered(_ response: Response) {
        switch phase {
        case .connected, .readingHead, .kept: respond(response, isLast: true)
        case .choosing, .answering, .sending, .over: break
        }
    }

    /// Closes the connection if it is between two requests.
    func closeIfIdle() {
        switch phase {
        case .connected, .kept: stream.close()
        case .readingHead, .choosing, .answering, .sending, .over: break
        }
    }

    func endIfIdle() {
        guard hasReachedEnd, mayParse else { return }
        closeAfterSending()
    }
}

// MARK: - For answers that take their time

extension Exchange {
    /// RFC 9110 §10.1.1: some clients wait for this before they send the body.
    package func continueIfExpected(_ request: Request) {
        let head = request.head
        if head.hasBody && head.version >= .http11
            && head.fields.hasElement("100-continue", in: "Expect")
        {
            stream.write(HeadWriter(.continue).finish())
        }
    }

    /// How many bytes came behind the head and were not taken.
    package var pipelinedByteCount: Int { pipelined.count }

    /// What came behind the head.
    package func takePipelined() -> [UInt8] { pipelined.takeAll() }

    /// Has `body` look at what came behind the head.
    ///
    /// - Parameter body: returns how many of the bytes it took.
    package func takePipelined<Failure>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) {
        pipelined.removeFirst(try pipelined.withBytes(body))
    }

    /// Gives the stream and the timer to another owner, who has to set their targets.
    ///
    /// - Returns: with them, what came behind the head.
    package func handOver() -> (timer: EventLoop.Timer, firstBytes: [UInt8]) {
        enter(.over)
        owner.forget(self)
        return (timer, pipelined.takeAll())
    }
}
