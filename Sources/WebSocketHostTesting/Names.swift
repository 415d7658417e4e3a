// A test of a handler imports this room and has the handler's names with it.
@_exported import WebSocketHost
