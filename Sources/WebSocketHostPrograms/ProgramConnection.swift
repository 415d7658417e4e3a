import EventLoop
import Processes
import Subprocesses
import WebSocketHost
import WebSocketProtocol

/// A program and a connection that are each other's ends.
struct ProgramConnection: Sendable {
    let socket: WebSocket
    let framing: ProgramFraming
    let process: Subprocess

    /// What ends the two.
    enum End: Sendable {
        /// The client's Close, or the end of TCP.
        case client
        /// The end of the program's output.
        case output
        /// Output that is no message.
        case failure(String)
    }

    /// Both directions, until one of them ends.
    nonisolated(nonsending) func run() async -> End {
        await withTaskGroup(of: End.self) { group in
            group.addTask { await forwardMessages() }
            group.addTask { await forwardOutput() }
            let end = await group.next() ?? .client
            group.cancelAll()
            return end
        }
    }

    // MARK: - From the client

    /// Each message waits until the program has taken the one before, and the client with it.
    private func forwardMessages() async -> End {
        var isTaken = true
        while let message = await nextMessage() {
            // A program that reads no more may go on to write.
            guard isTaken else { continue }
            do throws(SubprocessError) {
                try await process.write(framing.input(message))
            } catch {
                isTaken = false
            }
        }
        return .client
    }

    private func nextMessage() async -> Message? { (try? await socket.receive()) ?? nil }

    // MARK: - From the program

    private func forwardOutput() async -> End {
        do {
            switch framing {
            case .lines: try await forwardLines()
            case .lengthPrefixed: return try await forwardMessagesOfProgram()
            case .bytes: for try await piece in process.pieces { try await socket.send(piece) }
            }
            return .output
        } catch let error as SubprocessError {
            return .failure("\(error)")
        } catch {
            return .client
        }
    }

    private func forwardLines() async throws {
        var wasValid = true
        while let line = try await process.nextLine() {
            if wasValid && !line.isValid {
                wasValid = false
                socket.log(
                    .warning,
                    "its output is not UTF-8: what is not becomes U+FFFD. A NAME_binary_wsh or "
                        + "NAME_bytes_wsh may write any bytes. (Logged once per connection.)")
            }
            try await socket.send(line.text)
        }
    }

    private func forwardMessagesOfProgram() async throws -> End {
        while let head = try await process.read(exactly: ProgramFraming.lengthByteCount) {
            guard let byteCount = ProgramFraming.length(head) else {
                return .failure("its output ended within a length")
            }
            let byteLimit = socket.settings.messageByteLimit
            guard byteCount <= byteLimit else {
                return .failure("a message of \(byteCount) bytes; the limit is \(byteLimit)")
            }
            let bytes = byteCount == 0 ? [] : try await process.read(exactly: byteCount) ?? []
            guard bytes.count == byteCount else {
                return .failure("its output ended within a message")
            }
            try await socket.send(bytes)
        }
        return .output
    }
}

extension ProgramFraming {
    static let lengthByteCount = 4

    /// - Returns: `nil` if these are not all bytes of a length.
    static func length(_ head: [UInt8]) -> Int? {
        head.count == lengthByteCount ? head.reduce(0) { $0 << 8 | Int($1) } : nil
    }

    /// A client's message as the program gets it.
    func input(_ message: Message) -> [UInt8] {
        switch (self, message) {
        case (.lines, .text(let text)), (.bytes, .text(let text)):
            var bytes = Array(text.utf8)
            bytes.append(UInt8(ascii: "\n"))
            return bytes
        case (.lines, .binary(let bytes)), (.bytes, .binary(let bytes)): return bytes
        case (.lengthPrefixed, .text(let text)): return Self.prefixed(Array(text.utf8))
        case (.lengthPrefixed, .binary(let bytes)): return Self.prefixed(bytes)
        }
    }

    private static func prefixed(_ bytes: [UInt8]) -> [UInt8] {
        let count = UInt32(clamping: bytes.count)
        return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) } + bytes
    }
}
