import CommandLineOptions
import WebSocketClient

/// The value of `--header`.
enum HeaderLine {
    /// The fields that the handshake itself writes (RFC 6455 §4.1), and what to use instead.
    private static let owned = [
        "host": "it comes from the URL", "upgrade": "", "connection": "", "content-length": "",
        "transfer-encoding": "", "origin": "use --origin", "sec-websocket-key": "",
        "sec-websocket-version": "",
        "sec-websocket-protocol": "use --subprotocol",
        "sec-websocket-extensions": "use --compression",
    ]

    static func parse(_ line: String, _ option: String) throws(UsageError) -> (
        name: String, value: String
    ) {
        guard let colon = line.firstIndex(of: ":"), colon != line.startIndex else {
            throw UsageError("\(option): '\(escaped(line))' is not 'Name: value'")
        }
        let name = String(line[..<colon])
        if let hint = owned[name.lowercased()] {
            throw UsageError(
                "\(option): \(name) belongs to the handshake\(hint.isEmpty ? "" : ": \(hint)")")
        }
        return (name, String(line[line.index(after: colon)...]))
    }
}
