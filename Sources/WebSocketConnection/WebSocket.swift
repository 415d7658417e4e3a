import EventLoop
import WebSocketProtocol

/// An open connection, as a handler sees it.
///
/// An `AsyncSequence` of messages that ends when the peer closes. Other tasks and actors may use it
/// too, and send at the same time: frames never mix. One task at a time receives.
public struct WebSocket: Sendable, Hashable, Identifiable {
    // `receive` and `send` are inlined into the handler, so that a message that is there costs
    // neither a frame of a task nor a switch of executors; hence `@usableFromInline` on what they
    // call.
    @usableFromInline package let connection: Connection

    package init(_ connection: Connection) { self.connection = connection }

    /// A number that no other connection of this process has or had.
    public var id: UInt64 { connection.id }

    /// What the client asked for, and what was answered.
    public var request: HandshakeRequest { connection.request }

    /// What was agreed on for compression (RFC 7692); `nil`: nothing is compressed.
    public var compression: DeflateParameters? { connection.request.compressionParameters }

    /// The subprotocol that was agreed on.
    public var subprotocol: String? { connection.request.subprotocol }

    /// This end of the TCP connection; `nil` if the kernel did not report it.
    public var localAddress: SocketAddress? { connection.request.localAddress }

    /// The log of the server, or of the client: each line says which connection it is about.
    public var log: ConnectionLog {
        ConnectionLog(connection.endpoint, peer: connection.request.remoteAddress, id: id)
    }

    public static func == (a: Self, b: Self) -> Bool { a.connection === b.connection }
    public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

// MARK: - Receiving

extension WebSocket: AsyncSequence {
    public typealias Element = Message
    public typealias Failure = ConnectionError

    public struct AsyncIterator: AsyncIteratorProtocol {
        @usableFromInline let socket: WebSocket

        init(socket: WebSocket) { self.socket = socket }

        @inlinable
        public mutating func next() async throws(ConnectionError) -> Message? {
            try await socket.receive()
        }

        /// Runs where its caller does, which `for await` is sure to name: an `isolated` parameter
        /// would do the same, but look up the task's executor twice for each message.
        @inlinable
        public nonisolated(nonsending) mutating func next(
            isolation actor: (any Actor)?
        ) async throws(ConnectionError) -> Message? {
            try await socket.receive()
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(socket: self) }

    /// Waits for the next message.
    ///
    /// Returns without suspending if one is there.
    ///
    /// - Parameter timeout: how long to wait; `nil`: as long as the connection lasts.
    /// - Returns: `nil` once the client, or this side, has closed and all messages were taken.
    /// - Throws: ``ConnectionError/timedOut`` and ``ConnectionError/cancelled``, after which the
    ///   connection is as before; ``ConnectionError/lost``, ``ConnectionError/pingTimedOut`` or
    ///   ``ConnectionError/failed(_:)`` when it ended in another way than by a Close.
    @inlinable
    public func receive(timeout: Duration? = nil) async throws(ConnectionError) -> Message? {
        if let message = connection.nextReadyMessage() { return message }
        return try await connection.waitForMessage(timeout: timeout)
    }

    /// The time for deadlines of this connection: `ContinuousClock.now`, but where a test moves the
    /// clock.
    public var now: ContinuousClock.Instant { connection.loop.continuousTime }

    /// Waits, and lets the others on the thread go on.
    ///
    /// Unlike `Task.sleep` it ends with the connection, and a test moves its clock.
    ///
    /// - Throws: ``ConnectionError/cancelled``, after which the connection is as before; or how it
    ///   ended.
    public func sleep(for duration: Duration) async throws(ConnectionError) {
        try await connection.sleep(for: duration)
    }

    /// The Close that the client sent, once it came.
    public var receivedClose: Close? {
        get async { await connection.onLoop { $0.session.receivedClose } }
    }
}

// MARK: - Sending

extension WebSocket {
    /// Sends text.
    ///
    /// Waits while more than ``ConnectionSettings/sendQueueByteMark`` is on its way to the peer.
    ///
    /// - Parameters:
    ///   - end: false to send the message piece by piece: the pieces up to one with `true` make up
    ///     one message (RFC 6455 §5.4). What other tasks send meanwhile waits until that one has
    ///     gone out; Pings and Pongs do not.
    ///   - compress: false to let a message out as it is where compression was agreed on. The first
    ///     piece decides for all.
    /// - Throws: ``ConnectionError/closed(_:)`` and the other ends;
    ///   ``ConnectionError/cancelled``, after which the text is on its way all the same, unless it
    ///   waited for another task's pieces;
    ///   ``ConnectionError/sendQueueFull(byteCount:byteLimit:)``;
    ///   ``ConnectionError/notSendable(_:)`` if the last piece was binary and not the end.
    public func send(
        _ text: String, end: Bool = true, compress: Bool = true
    ) async throws(ConnectionError) {
        try await send(.text(text), isFinal: end, compress)
    }

    /// Sends bytes; as ``send(_:end:compress:)-(String,_,_)``.
    public func send(
        _ bytes: [UInt8], end: Bool = true, compress: Bool = true
    ) async throws(ConnectionError) {
        try await send(.binary(bytes), isFinal: end, compress)
    }

    /// Sends a message. Suspends only if it has to, so a loop of `await`s is cheap.
    @inlinable
    public func send(_ message: Message, compress: Bool = true) async throws(ConnectionError) {
        switch try connection.write(message, compress: compress) {
        case .queued: return
        case .queuedOverMark: try await connection.waitUntilDrained()
        case .notInTurn:
            try await connection.sendInTurn(message, isFinal: true, compress: compress)
        }
    }

    private func send(
        _ message: Message, isFinal: Bool, _ compress: Bool
    ) async throws(ConnectionError) {
        if isFinal { return try await send(message, compress: compress) }
        try await connection.sendInTurn(message, isFinal: false, compress: compress)
    }

    /// Sends a Ping and waits for its Pong (RFC 6455 §5.5.2).
    ///
    /// - Parameter payload: at most 125 bytes.
    /// - Returns: how long the answer took.
    @discardableResult
    public func ping(_ payload: [UInt8] = []) async throws(ConnectionError) -> Duration {
        try await connection.ping(payload).get()
    }

    /// Sends a Ping; with `waitsForAnswer: false` without waiting for its Pong, which the handler's
    /// `onPong` sees.
    ///
    /// - Returns: how long the answer took; `nil` if it was not waited for.
    @discardableResult
    public func ping(
        _ payload: [UInt8] = [], waitsForAnswer: Bool
    ) async throws(ConnectionError) -> Duration? {
        if waitsForAnswer { return try await ping(payload) }
        try await connection.sendControl(.ping, payload)
        return nil
    }

    /// Sends an unsolicited Pong, which the client ignores (RFC 6455 §5.5.3).
    public func pong(_ payload: [UInt8] = []) async throws(ConnectionError) {
        try await connection.sendControl(.pong, payload)
    }

    /// How many bytes wait to be sent to this client.
    public var queuedByteCount: Int {
        get async { await connection.onLoop { $0.stream.queuedByteCount } }
    }
}

// MARK: - Closing

extension WebSocket {
    /// Sends a Close and waits for the client's (RFC 6455 §7.1.2).
    ///
    /// Messages that come in the meantime are dropped. Returning from `transferData` does the same
    /// with 1000.
    ///
    /// - Parameters:
    ///   - code: `nil` sends a Close without a body.
    ///   - reason: at most ``Close/reasonByteLimit`` bytes of UTF-8.
    ///   - waitsForAnswer: false to go on at once. The client's Close is still awaited, for
    ///     ``ConnectionSettings/closeTimeout`` at most, and ``receivedClose`` has it.
    /// - Returns: the client's Close; `nil` if none came within
    ///   ``ConnectionSettings/closeTimeout``, or none was waited for.
    /// - Throws: ``ConnectionError/notSendable(_:)`` for a code or reason that must not be sent.
    @discardableResult
    public func close(
        _ code: CloseCode? = .normalClosure, reason: String = "", waitsForAnswer: Bool = true
    ) async throws(ConnectionError) -> Close? {
        let close = Close(code, reason: reason)
        if waitsForAnswer { return try await connection.close(close).get() }
        try await connection.onLoop { $0.sendClose(close) }.get()
        return nil
    }

    /// Drops the TCP connection without a Close; the client sees 1006.
    ///
    /// What was sent before goes out as far as the socket takes it.
    public func abort() async {
        await connection.onLoop { $0.endAtOnce() }
    }

    /// For tests of clients: bytes that go out as they are, behind what is queued. Waits as `send`
    /// does.
    ///
    /// ``UnsafeFrame`` builds frames that break the rules.
    public func unsafeWrite(_ bytes: [UInt8]) async throws(ConnectionError) {
        try await connection.unsafeWrite(bytes)
    }

    /// For tests of clients: a Close frame with any code, also one that must not be sent (1005,
    /// 999), and a reason of any length. The server notes nothing of it: `close` or the handler's
    /// end sends another one.
    public func unsafeClose(
        _ code: UInt16?, reason: String = ""
    ) async throws(ConnectionError) {
        try await unsafeWrite(UnsafeFrame.close(code, reason: reason).bytes)
    }

    /// For tests of clients: so many bytes as they come, as ``unsafeReceive(timeout:)``.
    ///
    /// - Parameters:
    ///   - count: 0 or less: none are waited for.
    ///   - timeout: between any two pieces of them. What has come by then is there for the next
    ///     call.
    /// - Returns: fewer only if the peer sends no more; `nil` if there are none then.
    public func unsafeReceive(
        exactly count: Int, timeout: Duration? = nil
    ) async throws(ConnectionError) -> [UInt8]? {
        try await connection.unsafeReceive(exactly: count, timeout: timeout).get()
    }

    /// For tests of clients: the next bytes as they come, masks and all.
    ///
    /// From the first call on nothing is parsed any more: no Ping is answered, no Close is noticed,
    /// and returning from the handler ends TCP without a Close. Messages that came before are lost,
    /// but not the bytes behind the last one that was parsed.
    ///
    /// - Parameter timeout: how long to wait; `nil`: until nothing has come for
    ///   ``ConnectionSettings/pingInterval`` and ``ConnectionSettings/pingTimeout``.
    /// - Returns: at least one byte; `nil` once the peer sends no more.
    /// - Throws: ``ConnectionError/timedOut``, ``ConnectionError/cancelled``,
    ///   ``ConnectionError/receiveInProgress``, or how the connection ended.
    public func unsafeReceive(timeout: Duration? = nil) async throws(ConnectionError) -> [UInt8]? {
        try await connection.unsafeReceive(timeout: timeout).get()
    }
}
