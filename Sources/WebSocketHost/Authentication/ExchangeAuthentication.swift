import EventLoop
import HTTPProtocol
import WebSocketProtocol

// Who is let in, before anything else of a request is looked at.

extension Exchange {
    func authorize(_ head: RequestHead) {
        guard let authentication = worker.site.authentication else { return answerAdmitted(head) }
        let verdict = authentication.check(head.fields) { [self] verdict in
            worker.loop.submit { self.answer(head, verdict) }
        }
        if let verdict { answer(head, verdict) }
    }

    private func answer(_ head: RequestHead, _ verdict: BasicAuthentication.Verdict) {
        guard !stream.isClosed else { return }
        let request = PlainRequest(head, isUpgrade: OpeningHandshake.isUpgrade(head))
        switch verdict {
        case .admitted(let user):
            self.user = user
            answerAdmitted(head)
        case .busy:
            respondBusy(request)
        case .refused:
            respond(
                Response(
                    .unauthorized, text: "A name and a password are needed (Basic).",
                    fields: ["WWW-Authenticate": #"Basic realm="WebSocketHost", charset="UTF-8""#]),
                request)
        }
    }
}
