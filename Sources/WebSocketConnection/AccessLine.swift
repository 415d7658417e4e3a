import EventLoop
import WebSocketProtocol

/// A connection that opened or closed, for both formats of the log.
package struct AccessLine {
    /// What is known at the end.
    struct End {
        /// 1006 if TCP ended without a Close.
        var code: CloseCode
        /// Our Close, when the peer did not answer it.
        var unansweredCode: CloseCode?
        var duration: Duration
        var receivedMessageCount: Int
        var receivedByteCount: Int
        var sentMessageCount: Int
        var sentByteCount: Int
    }

    let connectionID: UInt64
    /// The route, safe to print.
    let route: String
    let peer: SocketAddress
    let isCompressed: Bool
    /// `nil`: the connection opens.
    var end: End?

    var text: String {
        var line = LineText()
        append(to: &line)
        return line.text
    }

    func append(to line: inout LineText) {
        line.append(end == nil ? "open " : "close ")
        line.append(text: route)
        line.append(" ")
        line.append(peer)
        if let end {
            Self.append(end, to: &line)
        } else if isCompressed {
            line.append(" compressed")
        }
    }

    private static func append(_ end: End, to line: inout LineText) {
        line.append(" code=")
        line.append(Int(end.code.rawValue))
        if let code = end.unansweredCode {
            line.append(" (no answer to ")
            line.append(Int(code.rawValue))
            line.append(")")
        }
        line.append(" ")
        line.append(end.milliseconds)
        line.append(" ms, received ")
        line.append(end.receivedMessageCount)
        line.append(" messages ")
        line.append(end.receivedByteCount)
        line.append(" bytes, sent ")
        line.append(end.sentMessageCount)
        line.append(" messages ")
        line.append(end.sentByteCount)
        line.append(" bytes")
    }

    var fields: [LogField] {
        var fields = [
            LogField(name: "event", value: .text(end == nil ? "open" : "close")),
            LogField(name: "connection", value: .number(Int(clamping: connectionID))),
            LogField(name: "route", value: .text(route)),
            LogField(name: "peer", value: .text("\(peer)")),
            LogField(name: "compressed", value: .flag(isCompressed)),
        ]
        guard let end else { return fields }
        fields += [
            LogField(name: "code", value: .number(Int(end.code.rawValue))),
            LogField(name: "duration_ms", value: .number(end.milliseconds)),
            LogField(name: "messages_in", value: .number(end.receivedMessageCount)),
            LogField(name: "bytes_in", value: .number(end.receivedByteCount)),
            LogField(name: "messages_out", value: .number(end.sentMessageCount)),
            LogField(name: "bytes_out", value: .number(end.sentByteCount)),
        ]
        if let code = end.unansweredCode {
            fields.append(LogField(name: "unanswered_code", value: .number(Int(code.rawValue))))
        }
        return fields
    }
}

extension AccessLine.End {
    var milliseconds: Int { Int(duration.wholeNanoseconds / 1_000_000) }
}

extension Connection {
    /// Bytes that wait to be sent. On the loop's thread.
    package var queuedByteCount: Int { stream.queuedByteCount }

    private func accessLine(_ end: AccessLine.End?) -> AccessLine {
        AccessLine(
            connectionID: id, route: endpoint.name, peer: stream.peer,
            isCompressed: request.compressionParameters != nil, end: end)
    }

    func logOpen() { log.access(accessLine(nil)) }

    func logEnd(_ ending: ConnectionError) { log.access(accessLine(accessEnd(ending))) }

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
            code: code, unansweredCode: unansweredCode, duration: loop.now - opened,
            receivedMessageCount: receivedMessageCount,
            receivedByteCount: stream.receivedByteCount, sentMessageCount: sentMessageCount,
            sentByteCount: stream.sentByteCount + stream.queuedByteCount)
    }
}
