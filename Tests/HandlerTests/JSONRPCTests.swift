import Testing
import WebSocketHostTesting
import json_rpc_wsh

@Suite("Shipped handlers: json_rpc, as JSON-RPC 2.0 says")
struct JSONRPCTests {
    @Test(
        "Calls and answers",
        arguments: [
            (
                #"{"jsonrpc": "2.0", "method": "add", "params": [1, 2.5], "id": 1}"#,
                #"{"jsonrpc":"2.0","result":3.5,"id":1}"#
            ),
            (
                #"{"jsonrpc":"2.0","method":"greet","params":{"name":"Ada"},"id":"x"}"#,
                #"{"jsonrpc":"2.0","result":"Hello, Ada!","id":"x"}"#
            ),
            (
                #"{"jsonrpc":"2.0","method":"add","id":2}"#, #"{"jsonrpc":"2.0","result":0,"id":2}"#
            ),
            (
                #"{"jsonrpc":"2.0","method":"none","id":3}"#,
                #"{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":3}"#
            ),
            (
                #"{"jsonrpc":"2.0","method":"add","params":["a"],"id":4}"#,
                #"{"jsonrpc":"2.0","error":{"code":-32602,"message":"Invalid params: "#
                    + #"[0] (byte 1): expected a number, found a string"},"id":4}"#
            ),
            (
                #"{"jsonrpc":"2.0","method":1}"#,
                #"{"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid Request"},"id":null}"#
            ),
            (
                #"{"method":"add","id":1}"#,
                #"{"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid Request"},"id":null}"#
            ),
            (
                #"{"jsonrpc": "2.0", "method": "foobar, "params": "bar"]"#,
                #"{"jsonrpc":"2.0","error":{"code":-32700,"message":"Parse error"},"id":null}"#
            ),
            (
                "[]",
                #"{"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid Request"},"id":null}"#
            ),
            (
                "[1]",
                #"[{"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid Request"},"#
                    + #""id":null}]"#
            ),
            (
                #"[{"jsonrpc":"2.0","method":"add","id":1},{"jsonrpc":"2.0","method":"add"},"#
                    + #"{"jsonrpc":"2.0","method":"add","params":[1],"id":2}]"#,
                #"[{"jsonrpc":"2.0","result":0,"id":1},{"jsonrpc":"2.0","result":1,"id":2}]"#
            ),
        ])
    func answers(call: String, answer: String) async throws {
        let client = try await TestHost(handler).connect()
        try await client.send(call)
        #expect(try await client.receive() == .text(answer))
    }

    @Test(
        "Notifications are not answered, by themselves or in a batch",
        arguments: [
            #"{"jsonrpc":"2.0","method":"add","params":[1]}"#,
            #"{"jsonrpc":"2.0","method":"none"}"#,
            #"[{"jsonrpc":"2.0","method":"add"},{"jsonrpc":"2.0","method":"add"}]"#,
        ])
    func notifications(call: String) async throws {
        let client = try await TestHost(handler).connect()
        try await client.send(call)
        try await client.receiveNothing()
    }
}
