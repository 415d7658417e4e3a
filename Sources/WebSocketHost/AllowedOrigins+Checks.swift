import HTTPProtocol

extension AllowedOrigins {
    /// Whether a handshake with this `Origin` for this `Host` is admitted.
    func admits(_ origin: String?, host: @autoclosure () -> String?) -> Bool {
        guard let origin else { return true }
        switch self {
        case .any:
            return true
        case .list(let origins):
            return origins.contains { $0.lowercased() == origin.lowercased() }
        case .same:
            guard let authority = Self.authority(of: origin) else { return false }
            return authority.lowercased() == host()?.lowercased()
        }
    }

    /// `host [":" port]` of an origin, which is `scheme "://" host [":" port]` (RFC 6454 §6.2).
    ///
    /// - Returns: `nil` if the text has another form, as `null` has.
    package static func authority(of origin: String) -> Substring? {
        let parts = origin.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].count > 1, parts[0].hasSuffix(":"), parts[1].isEmpty,
            !parts[2].isEmpty
        else { return nil }
        return parts[2]
    }
}
