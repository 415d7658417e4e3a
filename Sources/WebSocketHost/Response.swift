import HTTPProtocol

/// An answer to a plain HTTP request.
struct Response {
    var status: Status
    var fields: Fields
    var body: [UInt8]

    /// A sentence for people, as text.
    init(_ status: Status, text: String, fields: Fields = Fields()) {
        self.init(status, type: "text/plain; charset=utf-8", body: Array((text + "\n").utf8))
        for field in fields { add(field.name, field.value) }
    }

    init(_ status: Status, type: String, body: [UInt8]) {
        self.status = status
        self.body = body
        fields = ["X-Content-Type-Options": "nosniff"]
        add("Content-Type", type)
    }

    mutating func add(_ name: String, _ value: String) {
        // Only fields that were checked when they were made come here.
        try? fields.append(name, value)
    }

    /// The whole answer.
    ///
    /// - Parameters:
    ///   - isHead: leaves the body out but not its length (RFC 9110 §9.3.2).
    ///   - isLast: the head says that the connection ends after it.
    ///   - date: the time, as `Date` has it.
    func bytes(isHead: Bool, isLast: Bool, date: String) -> [UInt8] {
        var complete = self
        complete.add("Content-Length", String(body.count))
        let head = HeadWriter.answer(status, complete.fields, isLast: isLast, date: date)
        return isHead ? head : head + body
    }
}

extension HeadWriter {
    /// The head of an answer, whoever gives it: a field of all answers but the 101 is added here.
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
