import EventLoop
import HTTPProtocol
import WebSocketHost
import WebSocketProtocol

/// How a ``TestClient`` behaves; a browser, unless set otherwise.
public struct TestClientSettings: Sendable, Hashable {
    /// Whether each Ping is answered as it comes (RFC 6455 §5.5.2). False: to the server the
    /// client seems gone.
    public var answersPings = true
    /// Whether the server's Close is answered as it comes (RFC 6455 §5.5.1).
    public var answersClose = true
    /// The compression that is offered and used (RFC 7692); `nil`: nothing.
    public var compression: CompressionSettings?
    /// The longest message that is taken, in bytes. 64 MiB.
    public var messageByteLimit = 64 << 20

    public init() {}

    /// A client that does without one or the other answer, or with compression.
    public init(
        answersPings: Bool = true, answersClose: Bool = true,
        compression: CompressionSettings? = nil
    ) {
        self.answersPings = answersPings
        self.answersClose = answersClose
        self.compression = compression
    }
}

/// An open connection to a ``TestHost``, from the client's end.
///
/// Each call returns when nothing is left to run in the host. What came is kept in order until it
/// is taken: messages, the Close and the end in one queue, Pings and Pongs in one each.
///
/// Every call throws ``TestFailure`` with what happened instead, and after ``TestHost/patience`` if
/// nothing did.
public final class TestClient: Sendable {
    private let host: TestHost
    private let end: ClientEnd

    /// The fields of the 101.
    public let responseFields: Fields
    /// What the handler chose.
    public let subprotocol: String?
    /// What was agreed on for compression; `nil`: nothing is compressed.
    public let compression: DeflateParameters?

    init(_ host: TestHost, _ end: ClientEnd, _ answer: ClientEnd.Answer) {
        self.host = host
        self.end = end
        responseFields = answer.head.fields
        subprotocol = answer.subprotocol
        compression = answer.compression
    }

    /// Changes something at the client's end, and runs what follows from it.
    private func act(
        _ what: String, _ fileID: String, _ line: Int,
        _ body: @escaping @Sendable (ClientEnd) -> String?
    ) async throws {
        let place = TestPlace(fileID: fileID, line: line)
        try await host.wait(place, explain: { "\(what) led to something that never rests" }) {
            [host, end] (wait: Wait<Void>) in
            if let fault = body(end) {
                return wait.end(
                    .failure(place.failure("cannot \(what): \(fault)\(host.lastLogLine)")))
            }
            host.loop.whenIdle { wait.end(.success(())) }
        }
    }
}

// MARK: - Sending

extension TestClient {
    /// Sends a message.
    public func send(_ message: Message, fileID: String = #fileID, line: Int = #line) async throws {
        try await act("send", fileID, line) { $0.send(message) }
    }

    /// Sends text.
    ///
    /// - Parameter end: false to send a fragment: those up to one with `true` make up one message
    ///   (RFC 6455 §5.4).
    public func send(
        _ text: String, end: Bool = true, fileID: String = #fileID, line: Int = #line
    ) async throws {
        let isWhole = end
        try await act("send", fileID, line) { $0.sendPart(.text(text), isFinal: isWhole) }
    }

    /// Sends bytes; as text.
    public func send(
        _ bytes: [UInt8], end: Bool = true, fileID: String = #fileID, line: Int = #line
    ) async throws {
        let isWhole = end
        try await act("send", fileID, line) { $0.sendPart(.binary(bytes), isFinal: isWhole) }
    }

    /// Sends a Ping; ``receivePong(fileID:line:)`` has the answer.
    ///
    /// - Parameter payload: at most 125 bytes.
    public func ping(
        _ payload: [UInt8] = [], fileID: String = #fileID, line: Int = #line
    ) async throws {
        try await act("send a Ping", fileID, line) { $0.sendControl(.ping, payload) }
    }

    /// Sends a Pong, solicited or not.
    ///
    /// - Parameter payload: at most 125 bytes.
    public func pong(
        _ payload: [UInt8] = [], fileID: String = #fileID, line: Int = #line
    ) async throws {
        try await act("send a Pong", fileID, line) { $0.sendControl(.pong, payload) }
    }

    /// Sends bytes as they are: frames that break the rules, or half of one.
    public func unsafeSend(
        _ bytes: [UInt8], fileID: String = #fileID, line: Int = #line
    ) async throws {
        try await act("send", fileID, line) { end in
            end.peer.send(bytes)
            return nil
        }
    }
}

// MARK: - Receiving

extension TestClient {
    /// Takes the next message; nothing else may have come before it but Pings and Pongs.
    public func receive(fileID: String = #fileID, line: Int = #line) async throws -> Message {
        try await take("a message", fileID, line) { $0.takeMessage() }
    }

    /// Takes the server's Close; every message before it must have been taken.
    public func receiveClose(fileID: String = #fileID, line: Int = #line) async throws -> Close {
        try await take("a Close", fileID, line) { $0.takeClose(skipsMessages: false) }
    }

    /// Waits for the end of TCP; everything before it must have been taken. Without a Close it is
    /// what a browser calls 1006.
    public func receiveEnd(fileID: String = #fileID, line: Int = #line) async throws {
        _ = try await take("the end of TCP", fileID, line) { $0.takeEnd() }
    }

    /// Takes the payload of the first Ping that was not taken, answered or not.
    public func receivePing(fileID: String = #fileID, line: Int = #line) async throws -> [UInt8] {
        try await take("a Ping", fileID, line) { $0.takePing() }
    }

    /// Takes the payload of the first Pong that was not taken.
    public func receivePong(fileID: String = #fileID, line: Int = #line) async throws -> [UInt8] {
        try await take("a Pong", fileID, line) { $0.takePong() }
    }

    /// Expects that all was taken, and that nothing comes of what can run now. Pings that were
    /// answered count for nothing.
    public func receiveNothing(fileID: String = #fileID, line: Int = #line) async throws {
        _ = try await take("nothing", fileID, line) { $0.takeNothing() }
    }

    private func take<Value: Sendable>(
        _ what: String, _ fileID: String, _ line: Int,
        _ find: @escaping @Sendable (ClientEnd) -> ClientEnd.Finding<Value>
    ) async throws -> Value {
        try await end.take(what, host, TestPlace(fileID: fileID, line: line), find)
    }
}

// MARK: - Ending

extension TestClient {
    /// Sends a Close and waits for the server's; messages that come before that are dropped.
    ///
    /// - Parameters:
    ///   - code: `nil` for a Close without one.
    ///   - reason: at most 123 bytes of UTF-8.
    /// - Returns: the server's Close.
    @discardableResult
    public func close(
        _ code: CloseCode? = .normalClosure, reason: String = "", fileID: String = #fileID,
        line: Int = #line
    ) async throws -> Close {
        try await sendClose(code, reason: reason, fileID: fileID, line: line)
        return try await take("an answer to the Close", fileID, line) {
            $0.takeClose(skipsMessages: true)
        }
    }

    /// Sends a Close and waits for nothing.
    public func sendClose(
        _ code: CloseCode? = .normalClosure, reason: String = "", fileID: String = #fileID,
        line: Int = #line
    ) async throws {
        let close = Close(code, reason: reason)
        try await act("send a Close", fileID, line) { $0.sendClose(close) }
    }

    /// Goes away without a Close, as a client whose network is gone or whose process has died.
    public func drop(fileID: String = #fileID, line: Int = #line) async throws {
        try await act("drop", fileID, line) { end in
            end.peer.reset()
            return nil
        }
    }

    /// Ends the client's half of TCP without a Close.
    public func endSending(fileID: String = #fileID, line: Int = #line) async throws {
        try await act("end", fileID, line) { end in
            end.peer.end()
            return nil
        }
    }

    /// Takes nothing more from the network: what the server sends waits in its queues.
    public func pauseReading(fileID: String = #fileID, line: Int = #line) async throws {
        try await act("pause", fileID, line) { end in
            end.peer.pauseReading()
            return nil
        }
    }

    /// Takes what waited.
    public func resumeReading(fileID: String = #fileID, line: Int = #line) async throws {
        try await act("resume", fileID, line) { end in
            end.peer.resumeReading()
            return nil
        }
    }
}
