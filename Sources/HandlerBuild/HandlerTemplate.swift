/// What `new` writes.
enum HandlerTemplate: Sendable {
    case oneHook
    case allHooks

    /// - Parameter name: the route without its first slash.
    func text(name: String) -> String {
        switch self {
        case .oneHook: Self.oneHook(name)
        case .allHooks: Self.allHooks(name)
        }
    }

    private static func oneHook(_ name: String) -> String {
        #"""
        import WebSocketHost

        /// Answers at ws://localhost:9998/\#(name), one call for each connection.
        public let handler = WebSocketHandler { socket in
            // A variable here belongs to this connection. What connections share is an actor, or a Mutex
            // in a `let` outside.
            var count = 0
            for try await case .text(let text) in socket {
                count += 1
                try await socket.send("message \(count): \(text)")
            }
            // Returning closes the connection with 1000, an error that is thrown closes it with 1011.
        }

        """#
    }

    private static func allHooks(_ name: String) -> String {
        #"""
        import WebSocketHost

        /// Answers at ws://localhost:9998/\#(name). The three hooks are called in this order.
        public let handler = WebSocketHandler(
            doExtraHandshake: { request in
                // Before the connection is open: look at the request, and refuse it if need be. What is
                // returned is the second parameter of the next hook. Try ?name=Ada behind the address.
                let name = request.query["name"] ?? "friend"
                guard name.count <= 20 else {
                    throw HandshakeRejection(.forbidden, body: "The name is too long.")
                }
                return name
            },
            transferData: { socket, name in
                // The conversation. Returning closes with 1000, an error that is thrown with 1011.
                try await socket.send("Hello, \(name).")
                for try await message in socket {
                    switch message {
                    case .text(let text): try await socket.send("You said: \(text)")
                    case .binary(let bytes): try await socket.send("You sent \(bytes.count) bytes")
                    }
                }
            },
            passiveClosingHandshake: { close in
                // The client closed first: what it gets as the answer, here its own code and reason.
                close
            }
        )

        """#
    }
}
