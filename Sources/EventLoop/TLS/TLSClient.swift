import COpenSSL
import Glibc

/// The TLS side of outgoing connections. From any thread.
public final class TLSClient: Sendable {
    private let context: TLSContext
    private let configuration: TLSClientConfiguration

    /// Reads the files.
    public init(_ configuration: TLSClientConfiguration) throws(TLSFileError) {
        do throws(SystemError) {
            context = try TLSContext(isServer: false)
        } catch {
            throw TLSFileError(content: .certificateAuthorities, path: "", reason: "\(error)")
        }
        self.configuration = configuration
        switch configuration.trust {
        case .anyCertificate:
            SSL_CTX_set_verify(context.pointer, SSL_VERIFY_NONE, nil)
        case .system:
            SSL_CTX_set_default_verify_paths(context.pointer)
            SSL_CTX_set_verify(context.pointer, SSL_VERIFY_PEER, nil)
        case .file(let path):
            try context.trust(path)
            SSL_CTX_set_verify(context.pointer, SSL_VERIFY_PEER, nil)
        }
        if let identity = configuration.identity { try context.use(identity) }
        let offered = [UInt8(TLSSession.protocolName.count)] + TLSSession.protocolName
        SSL_CTX_set_alpn_protos(context.pointer, offered, UInt32(offered.count))
    }

    /// - Parameter host: the URL's, a name or an address without brackets.
    func makeSession(host: String) throws(SystemError) -> TLSSession {
        let session = try TLSSession(context, isServer: false, keeping: context)
        let name = configuration.serverName ?? host
        let parameters = SSL_get0_param(session.ssl)
        // RFC 6066 §3: an address is not asked for by SNI.
        let isAddress = X509_VERIFY_PARAM_set1_ip_asc(parameters, name) == 1
        if !isAddress { _ = tls_set_server_name(session.ssl, name) }
        if !configuration.checksHostName {
            X509_VERIFY_PARAM_set1_ip(parameters, nil, 0)
        } else if !isAddress, SSL_set1_host(session.ssl, name) != 1 {
            throw SystemError("SSL_set1_host", code: EINVAL)
        }
        return session
    }
}
