import EventLoop
import HTTPProtocol
import Logging

extension Exchange {
    package func streamReceived(_ bytes: UnsafeMutableRawBufferPointer) {
        if pipelined.isEmpty && mayParse {
            // Most heads come whole and alone: they are read where they lie.
            let parsed = parse(UnsafeRawBufferPointer(bytes))
            if parsed.byteCount < bytes.count { pipelined.append(bytes[parsed.byteCount...]) }
            handle(parsed.result)
        } else {
            pipelined.append(bytes[...])
            answer?.bytesArrived()
        }
        parsePipelined()
        limitPipelined()
    }

    /// Requests behind the one that is answered wait in the kernel. Not if its answer has to learn
    /// that the client has gone, however many bytes stand before its end: a paused stream sees
    /// that only if the kernel has room for them.
    private func limitPipelined() {
        switch phase {
        case .answering(let answer) where answer.needsClientEnd: break
        case .choosing, .answering, .sending:
            guard pipelined.count > owner.settings.pipelinedByteLimit else { break }
            stream.pauseReading()
            // It may have come together with the bytes.
            if stream.isEndKnown { streamEndIsKnown() }
        case .connected, .readingHead, .kept, .over: break
        }
    }

    /// Answers request after request, until one takes longer, or the client does not read the
    /// answers.
    func parsePipelined() {
        guard !isParsing else { return }
        isParsing = true
        defer { isParsing = false }
        while !pipelined.isEmpty && mayParse {
            let parsed = pipelined.withBytes { parse($0) }
            pipelined.removeFirst(parsed.byteCount)
            handle(parsed.result)
        }
        if case .over = phase { return }
        if pipelined.isEmpty {
            stream.resumeReading()
            endIfIdle()
        } else if stream.isOverDrainMark {
            stream.needsDrainNotice = true
            stream.pauseReading()
        }
    }

    /// A head, or what is wrong with it; `nil`: it goes on. And how many of the bytes are done
    /// with.
    private typealias Parsed = (result: Result<RequestHead, RequestError>?, byteCount: Int)

    private func parse(_ bytes: UnsafeRawBufferPointer) -> Parsed {
        do throws(RequestError) {
            switch try parser.parse(bytes) {
            case .incomplete:
                return (nil, bytes.count)
            case .complete(let head, let byteCount):
                return (head.lacksHost ? .failure(.missingHost) : .success(head), byteCount)
            }
        } catch {
            return (.failure(error), 0)
        }
    }

    private func handle(_ result: Result<RequestHead, RequestError>?) {
        guard let result else { return parser.hasPartialHead ? enter(.readingHead) : () }
        loop.cancel(timer)
        enter(.choosing)
        switch result {
        case .success(let head):
            choose(Request(head, user: user, owner.settings))
        case .failure(let error):
            log.peerEvent(
                .badRequest, .info, "bad request from \(stream.peer): \(escaped("\(error)"))")
            respond(Response(error.status, text: "\(error)"), isLast: true)
        }
    }

    /// Asks the responders, from the first one on. Also for a request that was put off or changed.
    package func choose(_ request: Request) {
        guard !stream.isClosed else { return }
        enter(.choosing)
        var request = request
        for responder in owner.responders {
            switch responder.respond(to: &request, self) {
            case .pass: continue
            case .response(let response): return respond(response, to: request)
            case .later: return
            case .answering(let answer):
                enter(.answering(answer))
                return answer.begin()
            }
        }
        respond(Response(.notFound, text: "There is nothing at this path."), to: request)
    }
}
