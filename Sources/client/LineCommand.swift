import WebSocketClient
import WebSocketProtocol

/// The meaning of a line of the input.
enum LineCommand: Equatable {
    case send(Message)
    case ping([UInt8])
    case close(CloseCode?, reason: String)
    case help
    /// A wrong line: what is wrong, and what to type instead.
    case mistake(String)

    static let list = """
          /binary HEX                         send bytes: /binary 00ff 0a
          /ping [TEXT]                        send a Ping; the time until its Pong is printed
          /close [CODE [REASON]]              close; CODE is 1000 by default
          /help                               print this
          //TEXT                              send a text that begins with /
        """
}

extension LineCommand {
    init(_ line: String) {
        guard line.hasPrefix("/") else {
            self = .send(.text(line))
            return
        }
        if line.hasPrefix("//") {
            self = .send(.text(String(line.dropFirst())))
            return
        }
        let words = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        let rest = words.count > 1 ? words[1] : ""
        switch words.first {
        case "/binary": self = Self.binary(rest)
        case "/ping": self = .ping(Array(rest.utf8))
        case "/close": self = Self.close(rest)
        case "/help": self = .help
        default:
            self = .mistake("no such command: /help lists them, // sends a text that begins with /")
        }
    }

    private static func binary(_ text: Substring) -> LineCommand {
        Hexadecimal.bytes(text).map { .send(.binary($0)) }
            ?? .mistake("/binary takes \(Hexadecimal.form)")
    }

    /// The connection decides which codes may be sent (RFC 6455 §7.4.1).
    private static func close(_ text: Substring) -> LineCommand {
        let words = text.split(separator: " ", maxSplits: 1)
        guard let first = words.first else { return .close(.normalClosure, reason: "") }
        guard let code = UInt16(first) else {
            return .mistake("/close takes a number and a reason: /close 4000 enough")
        }
        return .close(CloseCode(rawValue: code), reason: words.count > 1 ? String(words[1]) : "")
    }
}
