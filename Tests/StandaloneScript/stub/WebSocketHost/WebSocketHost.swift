// Stands in for the real WebSocketHost: what a handler file and the registry need of it.
public struct WebSocketHandler: Sendable {
    public init(_ transferData: @escaping @Sendable (String) async throws -> Void) {}
}

public struct Registration: Sendable {
    public let route: String
    public let source: String
    public let failure: String?

    public init(route: String, source: String, handler: WebSocketHandler) {
        (self.route, self.source, failure) = (route, source, nil)
    }

    public init(route: String, source: String, failure: String) {
        (self.route, self.source, self.failure) = (route, source, failure)
    }
}
