import HTTPProtocol

/// The part `user:password@` of a URL (RFC 3986 §3.2.1), and the URL without it.
package struct URLCredentials {
    /// Safe to print.
    package let bareURL: String
    /// `nil`: the URL names no user.
    package let credentials: BasicCredentials?

    /// - Returns: `nil` if user or password are not percent-encoded UTF-8, have control characters,
    ///   or the user has a colon, which RFC 7617 §2 forbids.
    package init?(_ url: String) {
        let authority = url.firstRange(of: "://").map { scheme in
            url[scheme.upperBound...].prefix { !"/?#".contains($0) }
        }
        guard let authority, let at = authority.lastIndex(of: "@") else {
            bareURL = url
            credentials = nil
            return
        }
        bareURL = String(url[..<authority.startIndex] + url[authority.index(after: at)...])
        let parts = authority[..<at].split(
            separator: ":", maxSplits: 1, omittingEmptySubsequences: false
        ).map { ResourcePath.percentDecoded(String($0)) }
        guard let user = parts[0], !user.contains(":") else { return nil }
        guard let password = parts.count > 1 ? parts[1] : "" else { return nil }
        guard (user + password).unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
        else { return nil }
        credentials = BasicCredentials(user: user, password: password)
    }
}
