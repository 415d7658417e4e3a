import EventLoop
import WebSocketHost

extension TLSInfo {
    /// The facts that a connection of ``TestHost`` is given; no certificate is read.
    ///
    /// - Parameters:
    ///   - serverName: the host that the client named.
    ///   - peerSubject: of the client's certificate: `CN=alice,O=Example`; `nil`: it
    ///     showed no certificate.
    ///   - peerSubjectAlternativeNames: of the same: `DNS:example.com`.
    public static func testing(
        version: String = "TLSv1.3", cipher: String = "TLS_AES_256_GCM_SHA384",
        serverName: String? = nil,
        peerSubject: String? = nil, peerSubjectAlternativeNames: [String] = []
    ) -> TLSInfo {
        TLSInfo(
            version: version, cipher: cipher, serverName: serverName, peerSubject: peerSubject,
            peerSubjectAlternativeNames: peerSubjectAlternativeNames)
    }
}
