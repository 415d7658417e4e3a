import WebSocketProtocol

/// An error that says how the connection ends if it leaves the handler, or `withConnection` of a
/// client: with this Close in the place of 1011.
///
/// ```swift
/// struct NoSuchRoom: ClosingError {
///     let name: String
///     var close: Close { Close(4004, cutting: "there is no room \(name)") }
/// }
/// ```
///
/// It is the peer's fault then: the log has it with level `info`, among the connections that
/// failed, and leaves lines out if there are many in a second. One that names 1011, or a Close that
/// cannot be sent, for which 1011 is sent, is logged as any other error.
public protocol ClosingError: Error {
    /// Its reason is what the peer may know.
    var close: Close { get }
}
