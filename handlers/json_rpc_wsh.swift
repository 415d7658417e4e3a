import WebSocketHost
import WebSocketHostJSON

// JSON-RPC 2.0: {"jsonrpc": "2.0", "method": "add", "params": [1, 2], "id": 1}
let methods: [String: @Sendable (_ params: JSONValue) throws -> JSONValue] = [
    "add": { .number(try $0.decode([Double].self).reduce(0, +)) },
    "greet": { "Hello, \(try $0.decode([String: String].self)["name"] ?? "stranger")!" },
]
struct Call: Decodable { let jsonrpc, method: String, params, id: JSONValue? }
struct Fault: Error, Encodable { let code: Int, message: String }
struct Answer: Encodable {
    var jsonrpc = "2.0", result: JSONValue?, error: Fault?, id = JSONValue.null
}

func answer(_ value: JSONValue) -> Answer? {
    guard let call = try? value.decode(Call.self), call.jsonrpc == "2.0" else {
        return Answer(error: Fault(code: -32600, message: "Invalid Request"))
    }
    var answer = Answer(id: call.id ?? .null)
    do {
        answer.result = try methods[call.method]?(call.params ?? [])
        if answer.result == nil { answer.error = Fault(code: -32601, message: "Method not found") }
    } catch {
        answer.error = Fault(code: -32602, message: "Invalid params: \(error)")
    }
    return call.id == nil ? nil : answer  // without an id nobody waits for it
}

public let handler = WebSocketHandler { socket in
    for try await message in socket {
        let value = try? message.decode(JSONValue.self)
        let parseError = Answer(error: Fault(code: -32700, message: "Parse error"))
        guard case .array(let calls)? = value, !calls.isEmpty else {
            if let answer = value.map(answer) ?? parseError { try await socket.send(json: answer) }
            continue
        }
        let answers = calls.compactMap(answer)
        if !answers.isEmpty { try await socket.send(json: answers) }
    }
}
