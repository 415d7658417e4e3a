// Whoever imports the client has the connection's names with it.
@_exported import WebSocketConnection
