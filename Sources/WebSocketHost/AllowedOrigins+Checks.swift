import HTTPProtocol

extension AllowedOrigins {
    /// Whether a browser could send this as `Origin`, `null` aside.
    package static func isOrigin(_ text: String) -> Bool { WebOrigin(text) != nil }

    /// Whether a handshake with this `Origin` is admitted.
    ///
    /// - Parameter authority: the server as the client named it, with a port or without.
    func admits(_ origin: String?, authority: @autoclosure () -> String?) -> Bool {
        guard let origin else { return true }
        switch self {
        case .any:
            return true
        case .list(let origins):
            guard let asked = WebOrigin(origin) else {
                return origins.contains { HeaderGrammar.equalsIgnoringCase($0, origin) }
            }
            return origins.contains { WebOrigin($0) == asked }
        case .same:
            return WebOrigin(origin)?.isServed(by: authority()) ?? false
        }
    }
}
