import EventLoop
import WebSocketHost

extension TLSInfo {
    /// Facts for
    /// ``TestHost/connect(_:origin:subprotocols:cookies:fields:from:user:tls:settings:fileID:line:)``:
    /// no certificate is looked at.
    ///
    /// - Parameters:
    ///   - serverName: the host that the client asked for.
    ///   - peerSubject: of the client's certificate: `CN=alice,O=Example`; `nil`: it showed none.
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
