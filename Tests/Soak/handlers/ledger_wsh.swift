import Glibc
import WebSocketHost

/// Where ``handler`` writes; every process of the server appends to the same file.
private let ledger = open(
    getenv("SOAK_LEDGER").map { String(cString: $0) } ?? "/dev/null",
    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)

/// Says which process it is in, then writes each message down before it answers with it: what is
/// acknowledged is in the file.
public let handler = WebSocketHandler { socket in
    try await socket.send("\(getpid())")
    for try await case .text(let text) in socket {
        let line = Array("\(text)\n".utf8)
        guard write(ledger, line, line.count) == line.count else { return }
        try await socket.send(text)
    }
}
