// A test that imports this module can use the handler's names.
@_exported import WebSocketHost
