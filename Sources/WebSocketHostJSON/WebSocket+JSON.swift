import Topics
import WebSocketConnection
import WebSocketHost
import WebSocketProtocol

extension WebSocket {
    /// Sends a value as JSON, in a text message.
    ///
    /// - Parameters:
    ///   - encoder: another one than the module's own, such as Foundation's `JSONEncoder`.
    ///   - compress: as in `send(_:end:compress:)`.
    /// - Throws: ``JSONError`` if the value has no form in JSON, and nothing was sent; what
    ///   `send` throws.
    public func send(
        json value: some Encodable, encoder: some MessageEncoder = JSONMessageEncoder(),
        compress: Bool = true
    ) async throws {
        try await send(.json(value, encoder: encoder), compress: compress)
    }

    /// The messages of the connection as values, one after the other.
    ///
    /// ```swift
    /// for try await order in socket.messages(as: Order.self) { … }
    /// ```
    ///
    /// The first message that is something else ends the loop with its ``JSONError``. To go on with
    /// the next one, decode each by itself.
    public func messages<Value: Decodable>(as type: Value.Type = Value.self) -> JSONMessages<Value>
    {
        JSONMessages(socket: self)
    }
}

extension MessagePublisher {
    /// Publishes a value as JSON, in a text message; as `publish(_:to:key:)`.
    ///
    /// - Throws: ``JSONError`` if the value has no form in JSON.
    @discardableResult
    public func publish(
        json value: some Encodable, to topic: String, key: String? = nil
    ) throws -> PublishCounts {
        publish(try .json(value), to: topic, key: key)
    }
}

/// The messages of a connection, each decoded from JSON.
public struct JSONMessages<Value: Decodable>: AsyncSequence {
    public typealias Element = Value

    let socket: WebSocket

    public struct AsyncIterator: AsyncIteratorProtocol {
        let socket: WebSocket

        /// - Throws: ``JSONError``, or how the connection ended.
        public mutating func next() async throws -> Value? {
            try await socket.receive()?.decode(Value.self)
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(socket: socket) }
}
