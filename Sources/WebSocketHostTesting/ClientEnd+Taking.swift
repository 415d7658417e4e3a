import HTTPProtocol
import WebSocketHost
import WebSocketProtocol

// What a waiting call can take from the queues.

extension ClientEnd {
    func takeAnswer() -> Finding<Answer> {
        if let answer { return .found(answer) }
        if let answerError { return .other("the server's answer breaks the rules: \(answerError)") }
        if let (head, body) = refusal {
            let byteCount = head.fields["Content-Length"].flatMap { Int($0) } ?? .max
            guard hasEnded || body.count >= byteCount else { return .notYet }
            let text = String(decoding: body, as: UTF8.self)
            return .thrown(TestRejection.response(head.status, fields: head.fields, body: text))
        }
        return hasEnded ? .thrown(TestRejection.aborted) : .notYet
    }

    /// The answer to a request that is no handshake: whole once the connection has ended.
    func takeResponse() -> Finding<TestResponse> {
        if let answerError { return .other("the server's answer breaks the rules: \(answerError)") }
        guard hasEnded else { return .notYet }
        guard let (head, body) = refusal else { return .thrown(TestRejection.aborted) }
        return .found(TestResponse(status: head.status, fields: head.fields, body: body))
    }

    func takeMessage() -> Finding<Message> {
        guard let event = events.first else { return .notYet }
        guard case .message(let message) = event else { return .other(Self.describe(event)) }
        events.removeFirst()
        return .found(message)
    }

    /// - Parameter skipsMessages: a client that has closed reads nothing else.
    func takeClose(skipsMessages: Bool) -> Finding<Close> {
        while skipsMessages, case .message = events.first { events.removeFirst() }
        guard let event = events.first else { return .notYet }
        guard case .close(let close) = event else { return .other(Self.describe(event)) }
        events.removeFirst()
        return .found(close)
    }

    func takeEnd() -> Finding<Bool> {
        guard let event = events.first else { return .notYet }
        guard case .end = event else { return .other(Self.describe(event)) }
        return .found(true)
    }

    func takePing() -> Finding<[UInt8]> {
        if let payload = pings.popFirst() { return .found(payload) }
        return hasEnded ? .other("the connection has ended") : .notYet
    }

    func takePong() -> Finding<[UInt8]> {
        if let payload = pongs.popFirst() { return .found(payload) }
        return hasEnded ? .other("the connection has ended") : .notYet
    }

    /// What came and was not taken. Pings that were answered do not count.
    func takeNothing() -> Finding<Bool> {
        if let event = events.first { return .other(Self.describe(event)) }
        if let payload = pongs.first {
            return .other("the server sent a Pong of \(payload.count) bytes")
        }
        if !settings.answersPings, let payload = pings.first {
            return .other("the server sent a Ping of \(payload.count) bytes")
        }
        return .found(true)
    }

    private static func describe(_ event: Event) -> String {
        switch event {
        case .message(.text(let text)): "the server sent text \"\(escaped(text, limit: 100))\""
        case .message(.binary(let bytes)):
            "the server sent \(bytes.count) bytes: "
                + "\(bytes.prefix(16).map { String($0, radix: 16) })"
        case .close(let close):
            "the server closed with \(close.code.map { "\($0)" } ?? "no code")"
                + (close.reason.isEmpty ? "" : " \"\(escaped(close.reason))\"")
        case .fault(let error): "the server broke the protocol: \(error)"
        case .end: "TCP ended without a Close (1006)"
        }
    }
}
