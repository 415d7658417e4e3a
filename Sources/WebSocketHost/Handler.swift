import Topics
import WebSocketConnection
import WebSocketProtocol

/// What a handler file exports: its hooks, one value for all connections of its route.
///
/// The hooks are those of pywebsocket3's handler files, in the order in which they are called.
///
/// ```swift
/// import WebSocketHost
///
/// /// Sends every message back.
/// public let handler = WebSocketHandler { socket in
///     for try await message in socket {
///         try await socket.send(message)
///     }
/// }
/// ```
///
/// A variable inside the closure belongs to one connection. What connections share is an `actor` or
/// a `Mutex` in a `let` of the file. Hooks run on the thread of the connection's event loop and
/// must not block it: `await` instead of sleeping or waiting.
public struct WebSocketHandler: Sendable {
    public typealias TransferData = @Sendable (WebSocket) async throws -> Void
    public typealias ControlFrame = @Sendable (WebSocket, _ payload: [UInt8]) -> Void
    public typealias WhileServing = @Sendable (Serving) async throws -> Void
    public typealias HTTP = @Sendable (HTTPRequest) async throws -> HTTPResponse
    public typealias PassiveClosingHandshake = @Sendable (Close) async throws -> Close

    let hooks: Hooks

    /// In one object: a handler is passed on with each handshake.
    final class Hooks: Sendable {
        /// Runs the first hook, and returns the hook that talks with the first one's result; `nil`
        /// if the handler has no first hook.
        let prepare: (@Sendable (inout HandshakeRequest) async throws -> TransferData)?
        /// The hook that talks, for a handler without a first hook.
        let transferData: TransferData
        /// `nil`: there is none, or `prepare` makes one for each connection.
        let passiveClosingHandshake: PassiveClosingHook?
        let options: RouteOptions

        init(
            prepare: (@Sendable (inout HandshakeRequest) async throws -> TransferData)?,
            transferData: @escaping TransferData, passiveClosingHandshake: PassiveClosingHook?,
            options: RouteOptions
        ) {
            self.prepare = prepare
            self.transferData = transferData
            self.passiveClosingHandshake = passiveClosingHandshake
            self.options = options
        }
    }
}
