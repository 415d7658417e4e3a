import WebSocketProtocol

extension Message {
    /// The value that the message is as JSON, be it text or binary.
    ///
    /// ```swift
    /// let order = try message.decode(Order.self)
    /// ```
    ///
    /// - Throws: ``JSONError``. If it leaves the handler, the client gets 1007 for what is no JSON,
    ///   and 1003 for JSON that is something else than `type`. Errors that the type itself throws
    ///   are passed on.
    public func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
        switch self {
        case .text(let text):
            try JSONMessageDecoder().decode(type, checked: Array(text.utf8))
        case .binary(let bytes): try JSONMessageDecoder().decode(type, from: bytes)
        }
    }

    /// As ``decode(_:)``, with a decoder of your own.
    public func decode<Value: Decodable, Coder: MessageDecoder>(
        _ type: Value.Type = Value.self, decoder: Coder
    ) throws -> Value {
        do {
            switch self {
            case .text(let text): return try decoder.decode(type, from: Coder.Input(text.utf8))
            case .binary(let bytes): return try decoder.decode(type, from: Coder.Input(bytes))
            }
        } catch let error as DecodingError {
            throw JSONError(error)
        }
    }

    /// A text message with the value as JSON.
    ///
    /// - Throws: ``JSONError`` with the problem ``JSONError/Problem/notEncodable``.
    public static func json(_ value: some Encodable) throws -> Message {
        try json(value, encoder: JSONMessageEncoder())
    }

    /// As ``json(_:)``, with an encoder of your own.
    public static func json(
        _ value: some Encodable, encoder: some MessageEncoder
    ) throws -> Message {
        do {
            return .text(String(decoding: try encoder.encode(value), as: UTF8.self))
        } catch let error as EncodingError {
            throw JSONError(error)
        }
    }
}
