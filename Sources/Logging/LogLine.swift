import EventLoop

/// One line of the log: its fields, each listed once for both formats.
package protocol LogLine: Sendable {
    /// The text for people. In ``LogFormat/text`` it stands behind the fields, after a colon.
    ///
    /// `nil`: the fields are the whole text, and the JSON object's `message` is that text.
    var message: String? { get }

    /// Calls ``LineText/add(_:_:_:)`` for each field, in the order in which the text shows them.
    func addFields(to line: inout LineText)
}

/// The value of a field.
package enum LogValue: Sendable {
    case text(String)
    case number(Int)
    /// The text form shows only that it is set.
    case flag(Bool)
    case address(SocketAddress)
}

/// How ``LogFormat/text`` shows a field.
package enum LogFieldForm: Sendable {
    /// Only the JSON object has it.
    case hidden
    case plain
    case after(StaticString)
    case before(StaticString)
    case between(StaticString, StaticString)
    /// The same for a number of things: the noun is in the singular, and its plural ends in s.
    case counting(StaticString, StaticString)
}

/// A line without fields.
struct MessageLine: LogLine {
    let message: String?

    init(_ message: String) { self.message = message }

    func addFields(to line: inout LineText) {}
}
