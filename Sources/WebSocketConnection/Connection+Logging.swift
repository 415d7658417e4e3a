import EventLoop
import Logging
import WebSocketProtocol

extension Connection {
    func logOpen() {
        if endpoint.logsConnections { log.access(accessLine(nil)) }
    }

    func logEnd(_ ending: ConnectionError) {
        if endpoint.logsConnections { log.access(accessLine(accessEnd(ending))) }
    }

    private func accessLine(_ end: AccessLine.End?) -> AccessLine {
        AccessLine(
            connectionID: id, route: endpoint.name, peer: stream.peer,
            isCompressed: request.compressionParameters != nil, end: end)
    }

    private func accessEnd(_ ending: ConnectionError) -> AccessLine.End {
        let code: CloseCode =
            switch ending {
            case .failed(let error): error.closeCode
            case .closed(let close):
                close == nil ? .abnormalClosure : close?.code ?? .noStatusReceived
            default: .abnormalClosure
            }
        var unansweredCode: CloseCode?
        if case .closed(nil) = ending { unansweredCode = session.sentClose?.code }
        return AccessLine.End(
            code: code.rawValue, unansweredCode: unansweredCode?.rawValue,
            duration: loop.now - traffic.opened, receivedMessageCount: traffic.receivedMessageCount,
            receivedByteCount: stream.receivedByteCount, sentMessageCount: traffic.sentMessageCount,
            sentByteCount: stream.sentByteCount + stream.queuedByteCount)
    }
}
