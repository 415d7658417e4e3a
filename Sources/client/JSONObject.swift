import Logging

/// One line of `--json` (RFC 8259).
struct JSONObject {
    private var members = ""

    init(event: String) { add("event", event) }

    /// The object with its line end.
    var line: String { "{\(members)}\n" }

    mutating func add(_ name: String, _ text: String?) {
        guard let text else { return add(name, raw: "null") }
        add(name, raw: quotedAsJSON(text))
    }

    mutating func add(_ name: String, _ number: Int?) {
        add(name, raw: number.map { "\($0)" } ?? "null")
    }

    mutating func add(_ name: String, _ number: Double) { add(name, raw: "\(number)") }

    private mutating func add(_ name: String, raw value: String) {
        members += (members.isEmpty ? "" : ",") + "\"\(name)\":\(value)"
    }
}
