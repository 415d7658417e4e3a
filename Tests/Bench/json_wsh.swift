import Foundation
import WebSocketHost
import WebSocketHostJSON

/// What `wsload --json` sends.
struct Thing: Codable {
    let id: String
    let x: Double
    let y: Int
    let tags: [String]
    let name: String
}

/// Foundation's coders, one of each for all messages.
struct FoundationCoder: MessageDecoder, MessageEncoder {
    static let decoder = JSONDecoder()
    static let encoder = JSONEncoder()

    func decode<Value: Decodable>(_ type: Value.Type, from bytes: Data) throws -> Value {
        try Self.decoder.decode(type, from: bytes)
    }

    func encode<Value: Encodable>(_ value: Value) throws -> Data {
        try Self.encoder.encode(value)
    }
}

/// Decodes each message and encodes it again: what Tests/Bench/json measures.
public let handler = WebSocketHandler { socket in
    if socket.request.query.contains("foundation") {
        for try await message in socket {
            let thing = try message.decode(Thing.self, decoder: FoundationCoder())
            try await socket.send(json: thing, encoder: FoundationCoder())
        }
    } else {
        for try await thing in socket.messages(as: Thing.self) {
            try await socket.send(json: thing)
        }
    }
}
