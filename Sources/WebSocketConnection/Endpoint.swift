import EventLoop
import WebSocketProtocol

/// What the connections of one route, or of one client, share on one loop.
///
/// `@unchecked Sendable`: nothing in it changes but what belongs to the loop's thread.
package final class Endpoint: @unchecked Sendable {
    package let role: Role
    package let loop: Loop
    package let log: Log
    package let settings: ConnectionSettings
    /// The route, safe to print.
    package let name: String
    /// What the loop is told when a hook runs, so that a blocked thread can be put down to it.
    package let activity: Int
    let passiveClosingHandshake: (@Sendable (Close) async throws -> Close)?
    /// Told of a connection that is closed and whose handler has ended. On the loop's thread.
    let onLeave: (Connection) -> Void

    package init(
        role: Role, loop: Loop, log: Log, settings: ConnectionSettings, name: String, activity: Int = -1,
        passiveClosingHandshake: (@Sendable (Close) async throws -> Close)? = nil,
        onLeave: @escaping (Connection) -> Void
    ) {
        self.role = role
        self.loop = loop
        self.log = log
        self.settings = settings
        self.name = name
        self.activity = activity
        self.passiveClosingHandshake = passiveClosingHandshake
        self.onLeave = onLeave
    }
}
