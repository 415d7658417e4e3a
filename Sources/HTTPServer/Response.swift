import HTTPProtocol
import Logging

/// An answer that is whole in memory.
package struct Response {
    package var status: Status
    package var fields: Fields
    package var body: [UInt8]
    /// For the log, if the request is a handshake; `nil`: the body's first line is the reason.
    package var refusal: HandshakeRefusal?
    /// Whether the log has a line about it: not where a page asks every other second.
    package var isLogged = true

    /// A sentence for people, as text.
    package init(_ status: Status, text: String, fields: Fields = Fields()) {
        self.init(status, type: "text/plain; charset=utf-8", body: Array((text + "\n").utf8))
        self.fields.append(contentsOf: fields)
    }

    package init(_ status: Status, type: String, body: [UInt8]) {
        self.status = status
        self.body = body
        fields = ["X-Content-Type-Options": "nosniff"]
        fields.add("Content-Type", type)
    }

    /// What a handler made. It may set any field but those by which the server says where the
    /// answer ends and whether another one follows: what it sets of these is left out.
    ///
    /// - Parameter type: the body's `Content-Type`, unless `handlerFields` has one.
    package init(
        _ status: Status, handlerFields: Fields, body: [UInt8],
        type: String = "application/octet-stream"
    ) {
        self.init(status, type: type, body: body)
        if handlerFields.contains("Content-Type") || body.isEmpty { fields.remove("Content-Type") }
        fields.append(contentsOf: handlerFields)
        for name in Self.serversFields { fields.remove(name) }
    }

    private static let serversFields = [
        "Connection", "Content-Length", "Date", "Keep-Alive", "Transfer-Encoding",
    ]

    /// Whether the status has no content, and no length of it either (RFC 9110 §8.6, §15.4.5).
    private var isWithoutContent: Bool { status == .noContent || status == .notModified }

    /// The whole answer.
    ///
    /// - Parameters:
    ///   - isHead: leaves the body out but not its length (RFC 9110 §9.3.2).
    ///   - isLast: the head announces that the connection ends after it.
    ///   - date: the time, as `Date` has it.
    func bytes(isHead: Bool, isLast: Bool, date: String) -> [UInt8] {
        var fields = fields
        if !isWithoutContent { fields.add("Content-Length", String(body.count)) }
        let head = HeadWriter.answer(status, fields, isLast: isLast, date: date)
        return isHead || isWithoutContent ? head : head + body
    }
}

/// Why a handshake is refused, for the log.
package struct HandshakeRefusal {
    package var reason: String
    package var kind: PeerEvent
    package var level: LogLevel

    /// - Parameter reason: what came from outside in it is made safe to print later.
    package init(
        _ reason: String, _ kind: PeerEvent = .refusedHandshake, _ level: LogLevel = .info
    ) {
        self.reason = reason
        self.kind = kind
        self.level = level
    }
}

extension Response {
    /// 405, for what can only be read.
    package static var readOnly: Response {
        Response(
            .methodNotAllowed, text: "Only GET and HEAD are allowed here.",
            fields: ["Allow": "GET, HEAD"])
    }

    /// 503, for now.
    package static var busy: Response {
        Response(
            .serviceUnavailable, text: "The server is busy. Try again soon.",
            fields: ["Retry-After": "1"])
    }
}

extension HeadWriter {
    /// The head of an answer of any responder: a field of all answers but the 101 is added here.
    ///
    /// - Parameter isLast: whether the connection ends after the answer.
    static func answer(
        _ status: Status, _ fields: Fields, isLast: Bool, date: String
    ) -> [UInt8] {
        var head = HeadWriter(status)
        head.append(fields)
        head.append("Date", date)
        if isLast && !fields.contains("Connection") { head.append("Connection", "close") }
        return head.finish()
    }
}

extension Fields {
    /// Appends a field whose value the program made. One that cannot be sent is left out.
    package mutating func add(_ name: String, _ value: String) { try? append(name, value) }
}
