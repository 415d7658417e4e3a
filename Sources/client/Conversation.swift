import Glibc
import Synchronization
import WebSocketClient
import WebSocketProtocol

/// Sends each line of standard input and prints what is received, until one side closes.
final class Conversation: Sendable {
    private let socket: WebSocket
    private let output: Output
    private let lines: InputLines
    private let settings: ClientSettings
    private let isTyped: Bool
    private let receivedCount = Atomic<Int>(0)
    /// Set before our Close goes out.
    private let isClosing = Atomic<Bool>(false)
    private let hasTooLongLine = Atomic<Bool>(false)

    init(_ socket: WebSocket, _ output: Output, _ settings: ClientSettings) {
        self.socket = socket
        self.output = output
        self.settings = settings
        lines = InputLines(byteLimit: settings.lineByteLimit)
        isTyped = isatty(STDIN_FILENO) == 1
    }

    /// The task that reads the input may still wait for a line: the program ends without it.
    func run() async -> ExitCode {
        if isTyped {
            output.note("each line is sent as a message; /help lists commands, Ctrl-D closes")
        }
        let typing = Task { await type() }
        do throws(ConnectionError) {
            while let message = try await socket.receive() {
                receivedCount.add(1, ordering: .relaxed)
                output.received(message)
            }
        } catch {
            return output.failed(error.textForClient, .lost)
        }
        // Only after our Close does the task end by itself.
        let sent = isClosing.load(ordering: .sequentiallyConsistent) ? await typing.value : nil
        guard let close = await socket.receivedClose else {
            return output.failed("the server did not answer the Close", .lost)
        }
        output.closed(close)
        if hasTooLongLine.load(ordering: .sequentiallyConsistent) {
            return output.failed(
                "a line of the input is longer than \(settings.lineByteLimit) bytes "
                    + "(--max-line-size)",
                .usage)
        }
        if let sent, sent == close.code { return .success }
        return ExitCode(closedByServer: close)
    }

    /// - Returns: the code of our Close, once it is answered or timed out; `nil` if the server
    ///   closed first.
    private func type() async -> CloseCode? {
        do throws(ConnectionError) {
            while case let next = await lines.next(), next != .end {
                guard case .line(let line) = next else {
                    hasTooLongLine.store(true, ordering: .sequentiallyConsistent)
                    break
                }
                switch LineCommand(line) {
                case .send(let message): try await socket.send(message)
                case .ping(let payload): ping(payload)
                case .close(let code, let reason):
                    if try await close(code, reason) { return code }
                case .help: output.note(LineCommand.list)
                case .mistake(let text): output.note(text)
                }
            }
            await waitUntilQuiet()
            _ = try await close(.normalClosure, "")
            return .normalClosure
        } catch {
            switch error {
            // `run()` receives the same end, and reports it.
            case .closed, .lost, .pingTimedOut, .failed: break
            default: output.note("\(error)")
            }
            return nil
        }
    }

    /// Does not wait for the Pong: the next line may be typed meanwhile.
    private func ping(_ payload: [UInt8]) {
        Task { [self] in
            do throws(ConnectionError) {
                output.pong(after: try await socket.ping(payload))
            } catch {
                if case .notSendable = error { output.note("\(error)") }
            }
        }
    }

    /// - Returns: false if this Close may not be sent; the connection stays open then.
    private func close(_ code: CloseCode?, _ reason: String) async throws(ConnectionError) -> Bool {
        isClosing.store(true, ordering: .sequentiallyConsistent)
        do throws(ConnectionError) {
            try await socket.close(code, reason: reason)
            return true
        } catch {
            guard case .notSendable = error else { throw error }
            isClosing.store(false, ordering: .sequentiallyConsistent)
            output.note("\(error)")
            return false
        }
    }

    /// Waits for answers to the last lines, which would be dropped after our Close. If the server
    /// never pauses, this ends with the time limit, but not before one `linger`.
    private func waitUntilQuiet() async {
        let linger = settings.linger ?? (isTyped ? .zero : ClientSettings.lingerOfPipes)
        guard linger > .zero else { return }
        let deadline = ContinuousClock.now + settings.timeout
        var count: Int
        repeat {
            count = receivedCount.load(ordering: .relaxed)
            try? await Task.sleep(for: linger)
        } while count != receivedCount.load(ordering: .relaxed) && ContinuousClock.now < deadline
    }
}
