import WebSocketHost

/// 64 MiB, the longest message in either direction.
let messageByteLimit = 64 << 20

/// The other end of the benchmark page.
///
/// "receive N" makes it send N bytes, each an "a". "send 0" makes it receive the next message and
/// answer with its length in bytes; "send 1" also checks that all its bytes are the same. Nothing
/// is compressed, because that would measure something else.
///
/// Try it: run `./standalone.sh -d handlers/pages`, open http://localhost:9998/benchmark.html.
public let handler = WebSocketHandler(maxMessageSize: messageByteLimit, compression: .off) {
    socket in
    for try await case .text(let line) in socket {
        let words = line.split(separator: " ")
        switch (words.first, words.count == 2 ? Int(words[1]) : nil) {
        case ("receive", let byteCount?) where (0...messageByteLimit).contains(byteCount):
            try await socket.send([UInt8](repeating: UInt8(ascii: "a"), count: byteCount))
        case ("send", let verifies?) where (0...1).contains(verifies):
            guard let message = try await socket.receive() else { return }
            let bytes =
                switch message {
                case .text(let text): Array(text.utf8)
                case .binary(let bytes): bytes
                }
            let isRight = verifies == 0 || bytes.allSatisfy { $0 == bytes.first }
            try await socket.send(isRight ? "\(bytes.count)" : "The bytes are not all the same.")
        default:
            try await socket.send("Send 'receive BYTES', or 'send 0' (or 1) and then a message.")
        }
    }
}
