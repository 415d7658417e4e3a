import EventLoop
import WebSocketProtocol

/// What the connections of one route, or of one client, share on one loop.
///
/// `@unchecked Sendable`: only what belongs to the loop's thread changes in it.
package final class Endpoint: @unchecked Sendable {
    package let role: Role
    package let loop: Loop
    package let log: Log
    package let settings: ConnectionSettings
    /// The route, safe to print.
    package let name: String
    /// What the loop notes when a hook runs: the warning about a blocked thread names it.
    package let activity: Int
    /// Whether its connections have lines in the log when they open and close.
    let logsConnections: Bool
    let compressionPool: CompressionPool
    /// Of all routes and loops.
    let unfinishedMessages: UnfinishedMessages
    let controlHooks: ControlHooks
    /// `nil`: nothing is counted. What keeps their memory is ``owner``.
    let counters: ConnectionCounters?
    /// The Close that answers the peer's; `nil`: the same one, unless the connection's request has
    /// a hook of its own.
    let passiveClosingHandshake: PassiveClosingHook?
    /// What has to live as long as there are connections: the thread of a client, the memory of
    /// counters.
    private let owner: AnyObject?
    /// Another module that sends on the connections; `nil`: there is none.
    package let companions: (any ConnectionCompanions)?
    /// Called when a connection is closed and its handler has ended. On the loop's thread.
    let onLeave: (Connection) -> Void

    package init(
        role: Role, loop: Loop, log: Log, settings: ConnectionSettings, name: String,
        activity: Int = -1, logsConnections: Bool = true,
        compressionPool: CompressionPool, unfinishedMessages: UnfinishedMessages,
        controlHooks: ControlHooks = ControlHooks(), counters: ConnectionCounters? = nil,
        passiveClosingHandshake: PassiveClosingHook? = nil,
        owner: AnyObject? = nil, companions: (any ConnectionCompanions)? = nil,
        onLeave: @escaping (Connection) -> Void
    ) {
        self.role = role
        self.loop = loop
        self.log = log
        self.settings = settings
        self.name = name
        self.activity = activity
        self.logsConnections = logsConnections
        self.compressionPool = compressionPool
        self.unfinishedMessages = unfinishedMessages
        self.controlHooks = controlHooks
        self.counters = counters
        self.passiveClosingHandshake = passiveClosingHandshake
        self.owner = owner
        self.companions = companions
        self.onLeave = onLeave
    }
}

/// Makes the Close that answers the peer's, which it gets; throws to drop the connection instead.
package typealias PassiveClosingHook = @Sendable (WebSocket, Close) async throws -> Close

/// What is called for control frames as they come, on the loop's thread.
package struct ControlHooks: Sendable {
    package typealias Hook = @Sendable (WebSocket, [UInt8]) -> Void
    package var onPing: Hook?
    package var onPong: Hook?
    /// RFC 6455 §5.5.2 demands it; tests of clients may not want it.
    package var answersPings = true

    package init(onPing: Hook? = nil, onPong: Hook? = nil, answersPings: Bool = true) {
        self.onPing = onPing
        self.onPong = onPong
        self.answersPings = answersPings
    }
}
