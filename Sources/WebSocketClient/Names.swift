// A program that imports the client can use the connection's names.
@_exported import WebSocketConnection
