import Glibc
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
    ///   - isLast: says that the connection ends after it.
    func bytes(isHead: Bool, isLast: Bool) -> [UInt8] {
        var complete = self
        complete.add("Content-Length", String(body.count))
        complete.add("Date", HTTPDate.string(secondsSince1970: time(nil)))
        if isLast && !fields.contains("Connection") { complete.add("Connection", "close") }
        let head = ResponseHead(status: status, fields: complete.fields).serialized()
        return isHead ? head : head + body
    }
}
