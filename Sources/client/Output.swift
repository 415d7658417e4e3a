import EventLoop
import Glibc
import HTTPProtocol
import Logging
import WebSocketClient
import WebSocketProtocol

/// Prints messages to standard output and everything else to standard error; with `--json`
/// everything to standard output, one object per line.
struct Output: Sendable {
    let printsJSON: Bool
    let isQuiet: Bool
    let showsHexadecimal: Bool
    /// Control characters from the server must not reach a terminal.
    let isTerminal = isatty(STDOUT_FILENO) == 1
    /// Once a signal has come, nothing more is printed.
    private let interruption: ClosingSignals?

    init(_ settings: ClientSettings, _ interruption: ClosingSignals? = nil) {
        self.interruption = interruption
        printsJSON = settings.printsJSON
        isQuiet = settings.isQuiet
        showsHexadecimal = settings.showsHexadecimal
    }

    func opened(_ socket: WebSocket, _ url: String) {
        if printsJSON {
            var object = event("open")
            object.add("url", url)
            object.add("subprotocol", socket.subprotocol)
            object.add("compression", socket.compression.map(Self.text))
            object.add("tls", socket.request.tls.map { "\($0)" })
            return put(object)
        }
        var parts = ["connected to \(url)"]
        if let subprotocol = socket.subprotocol { parts.append("subprotocol \(subprotocol)") }
        if let compression = socket.compression { parts.append(Self.text(compression)) }
        if let tls = socket.request.tls { parts.append("\(tls)") }
        note(parts.joined(separator: ", "))
    }

    func received(_ message: Message) {
        switch message {
        case .text(let text):
            guard printsJSON else {
                return put("< \(isTerminal ? escaped(text, limit: .max) : text)\n")
            }
            var object = event("text")
            object.add("bytes", text.utf8.count)
            object.add("text", text)
            put(object)
        case .binary(let bytes):
            if printsJSON {
                var object = event("binary")
                object.add("bytes", bytes.count)
                object.add("hex", Hexadecimal.text(bytes))
                return put(object)
            }
            let count = "\(bytes.count) byte\(bytes.count == 1 ? "" : "s")"
            put("< (\(count))\(showsHexadecimal ? " " + Hexadecimal.text(bytes) : "")\n")
        }
    }

    func pong(after duration: Duration) {
        let milliseconds = (duration / .microseconds(1)).rounded() / 1_000
        guard printsJSON else { return note("pong after \(milliseconds) ms") }
        var object = event("pong")
        object.add("milliseconds", milliseconds)
        put(object)
    }

    /// - Parameter close: the server's Close, which may be the answer to ours.
    func closed(_ close: Close) {
        guard printsJSON else { return note("closed: \(escaped("\(close)"))") }
        var object = event("close")
        object.add("code", close.code.map { Int($0.rawValue) })
        object.add("reason", close.reason)
        put(object)
    }

    /// Prints an error, also with `--quiet`.
    func failed(_ text: String, _ code: ExitCode) -> ExitCode {
        if printsJSON {
            var object = event("error")
            object.add("exitCode", Int(code.rawValue))
            object.add("message", text)
            write(object.line, STDOUT_FILENO)
        } else {
            write("client: \(text)\n", STDERR_FILENO)
        }
        return code
    }

    /// Prints the response that refused the handshake, with its body.
    func refused(_ head: ResponseHead, _ body: [UInt8]) -> ExitCode {
        let text = String(decoding: body, as: UTF8.self)
        if printsJSON {
            var object = event("error")
            object.add("exitCode", Int(ExitCode.refused.rawValue))
            object.add("message", "handshake refused")
            object.add("status", head.status.code)
            object.add("location", head.fields["Location"])
            object.add("body", text)
            write(object.line, STDOUT_FILENO)
            return .refused
        }
        let location = head.fields["Location"].map { " (Location: \(escaped($0)))" } ?? ""
        var lines = ["client: handshake refused: \(escaped("\(head.status)"))\(location)"]
        lines += text.split(whereSeparator: \.isNewline).map { escaped(String($0), limit: 1_000) }
        write(lines.joined(separator: "\n") + "\n", STDERR_FILENO)
        return .refused
    }

    /// Prints a line for people; `--json` has objects for what matters.
    func note(_ text: String) {
        if !isQuiet && !printsJSON { write(text + "\n", STDERR_FILENO) }
    }

    /// An object with its event and time.
    private func event(_ name: String) -> JSONObject {
        var object = JSONObject(event: name)
        object.add("time", LogMoment.now().rfc3339)
        return object
    }

    private func put(_ object: JSONObject) { put(object.line) }

    private func put(_ line: String) {
        if !isQuiet { write(line, STDOUT_FILENO) }
    }

    /// If nobody reads our output any more, the program ends.
    private func write(_ text: String, _ descriptor: Int32) {
        if interruption?.hasCome == true { return }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            if count < 0 { exit(ExitCode.lost.rawValue) }
            rest = rest.dropFirst(count)
        }
    }

    /// The parameters as the server's response names them (RFC 7692 §7.1).
    private static func text(_ parameters: DeflateParameters) -> String {
        var parts = ["permessage-deflate"]
        if parameters.serverNoContextTakeover { parts.append("server_no_context_takeover") }
        if parameters.clientNoContextTakeover { parts.append("client_no_context_takeover") }
        if parameters.serverMaxWindowBits != 15 {
            parts.append("server_max_window_bits=\(parameters.serverMaxWindowBits)")
        }
        if parameters.clientMaxWindowBits != 15 {
            parts.append("client_max_window_bits=\(parameters.clientMaxWindowBits)")
        }
        return parts.joined(separator: "; ")
    }
}
