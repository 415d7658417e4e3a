// Handlers and embedders import this room and have the connection's names with it.
@_exported import WebSocketConnection
