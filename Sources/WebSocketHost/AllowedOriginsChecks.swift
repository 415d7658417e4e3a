import HTTPProtocol

extension AllowedOrigins {
    /// Whether a handshake with this `Origin` for this `Host` is let in.
    func admits(_ origin: String?, host: @autoclosure () -> String?) -> Bool {
        guard let origin else { return true }
        switch self {
        case .any:
            return true
        case .list(let origins):
            return origins.contains { $0.lowercased() == origin.lowercased() }
        case .same:
            // scheme "://" host [":" port], RFC 6454 §6.2
            let parts = origin.split(separator: "/", omittingEmptySubsequences: false)
            return parts.count == 3 && parts[2].lowercased() == host()?.lowercased()
        }
    }
}
