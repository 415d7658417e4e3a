import HTTPProtocol

extension Configuration {
    /// Whether a request line names this server, when it names one at all (RFC 9112 §3.2.2).
    ///
    /// pywebsocket3 looks for a file instead, which ends in 404; 421 tells the client what is
    /// wrong: "a server that is unable or unwilling to produce an authoritative response for the
    /// target URI" (RFC 9110 §15.5.20).
    func admits(_ target: RequestTarget) -> Bool {
        guard let text = target.authority, let authority = Authority(text) else { return true }
        if let validationHost, !Self.isSame(authority.host, validationHost) { return false }
        guard let validationPort else { return true }
        let isSecure = target.scheme == "wss" || target.scheme == "https"
        // RFC 6455 §3, RFC 9110 §4.2: the ports that stand for no port.
        return authority.port ?? (isSecure ? 443 : 80) == Int(validationPort)
    }

    /// IPv6 addresses are meant with their brackets or without.
    private static func isSame(_ host: String, _ wanted: String) -> Bool {
        let wanted = wanted.lowercased()
        return host == wanted || host == "[\(wanted)]"
    }
}
