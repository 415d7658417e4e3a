import Glibc
import WebSocketClient
import WebSocketHost

/// Passes everything on to another WebSocket server, both ways. To try it:
///
///     UPSTREAM=ws://localhost:9998/chat ./standalone.sh
let upstream = getenv("UPSTREAM").map { String(cString: $0) } ?? "ws://localhost:9998/echo"
let client = WebSocketClient()

public let handler = WebSocketHandler(
    doExtraHandshake: { request in
        do {
            // Closed at the latest with the client's connection, whatever becomes of that.
            let server = OwnedConnection(
                try await client.connect(upstream, subprotocols: request.offeredSubprotocols))
            request.subprotocol = server.socket.subprotocol
            return server
        } catch {
            request.log(.warning, "\(upstream): \(error)")
            throw HandshakeRejection(.badGateway)
        }
    },
    transferData: { socket, server in
        async let answers: Void = relay(from: server.socket, to: socket, orElse: .badGateway)
        try await relay(from: socket, to: server.socket, orElse: .goingAway)
        try await answers
    }
)

/// Ends with the receiver closed as the sender was. A receiver that is slow lets the sender wait.
func relay(from sender: WebSocket, to receiver: WebSocket, orElse code: CloseCode) async throws {
    do {
        for try await message in sender { try await receiver.send(message) }
        let close = await sender.receivedClose
        try await receiver.close(close?.code, reason: close?.reason ?? "")
    } catch {
        try await receiver.close(code)
    }
}
