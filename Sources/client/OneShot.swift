import EventLoop
import WebSocketClient
import WebSocketProtocol

/// Sends the messages of a script, waits for the expected ones, and closes.
struct OneShot: Sendable {
    private let socket: WebSocket
    private let output: Output
    private let script: MessageScript

    init(_ socket: WebSocket, _ output: Output, _ script: MessageScript) {
        self.socket = socket
        self.output = output
        self.script = script
    }

    /// - Parameter timeout: for everything but the Close.
    func run(timeout: Duration) async -> ExitCode {
        let result = await bounded(by: timeout) { await talk() }
        switch result {
        case nil:
            let code = output.failed("timed out after \(timeout / .seconds(1)) s", .timedOut)
            await socket.abort()
            return code
        case .done: return await close(.success)
        case .unexpected(let text): return await close(output.failed(text, .unexpected))
        case .closed:
            guard let close = await socket.receivedClose else {
                return output.failed(ConnectionError.lost.textForClient, .lost)
            }
            output.closed(close)
            let code = ExitCode(closedByServer: close)
            return output.failed(
                "the server closed before all messages had arrived",
                code == .success ? .unexpected : code)
        case .failed(let error): return output.failed(error.textForClient, .lost)
        }
    }

    /// How the script ended. After `done` and `unexpected` the connection is still open.
    private enum Result: Sendable {
        case done
        case unexpected(String)
        case closed
        case failed(ConnectionError)
    }

    private func talk() async -> Result {
        do throws(ConnectionError) {
            if script.pings { output.pong(after: try await socket.ping()) }
            for text in script.exchanges {
                try await socket.send(text)
                guard let answer = try await socket.receive() else { return .closed }
                output.received(answer)
            }
            // Sending and receiving go on together: the server may wait until we read its answers.
            let sending = Task { await sendAll() }
            defer { sending.cancel() }
            for index in 0..<script.awaitedCount {
                guard let message = try await socket.receive() else { return .closed }
                output.received(message)
                if let fault = fault(of: message, at: index) { return .unexpected(fault) }
            }
            if let error = await sending.value { throw error }
            return .done
        } catch {
            if case .closed = error { return .closed }
            return .failed(error)
        }
    }

    /// - Returns: why not all messages were sent; `nil` if they were.
    private func sendAll() async -> ConnectionError? {
        do throws(ConnectionError) {
            for message in script.messages { try await socket.send(message) }
            return nil
        } catch {
            return error
        }
    }

    private func fault(of message: Message, at index: Int) -> String? {
        guard script.expected.indices.contains(index), script.expected[index] != message else {
            return nil
        }
        return
            "message \(index + 1): expected \(Self.text(script.expected[index])), received "
            + "\(Self.text(message))"
    }

    private static func text(_ message: Message) -> String {
        switch message {
        case .text(let text): "'\(escaped(text))'"
        case .binary(let bytes):
            "\(bytes.count) bytes "
                + "\(Hexadecimal.text(bytes.prefix(100)))\(bytes.count > 100 ? "…" : "")"
        }
    }

    /// - Parameter code: the exit code if closing succeeds.
    private func close(_ code: ExitCode) async -> ExitCode {
        guard let answer = try? await socket.close() else {
            return code == .success
                ? output.failed("the server did not answer the Close", .lost) : code
        }
        output.closed(answer)
        return code == .success ? ExitCode(closedByServer: answer) : code
    }
}

/// Waits for `work`, at most for `limit`; after that `work` is cancelled and the result is `nil`.
func bounded<Value: Sendable>(
    by limit: Duration, _ work: @escaping @Sendable () async -> Value
) async -> Value? {
    await withTaskGroup(of: Value?.self) { group in
        group.addTask { await work() }
        group.addTask {
            try? await Task.sleep(for: limit)
            return nil
        }
        let first = await group.next() ?? nil
        group.cancelAll()
        return first
    }
}
