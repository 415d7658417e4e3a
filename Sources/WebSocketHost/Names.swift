// Handlers and embedders import this module, and have with it the names of connections, and those
// of documents, scripts and passwords, `offload`, and what
// proxies are trusted.
import HTTPProtocol
@_exported import HTTPServer
@_exported import Metrics
@_exported import Offloading
@_exported import Proxies
@_exported import Topics
@_exported import WebSocketConnection

public typealias BasePath = HTTPProtocol.BasePath
