/// What a TLS server shows and asks for. TLS 1.2 and 1.3; ALPN `http/1.1` (RFC 7301).
public struct TLSConfiguration: Sendable {
    /// A certificate with its private key.
    public enum Identity: Sendable {
        /// PEM files. The certificate file holds the server's own first, then the intermediate
        /// ones. Both are read again when they have changed.
        case files(certificate: String, privateKey: String)
        case selfSigned(SelfSignedCertificate)
    }

    /// Whether clients have to show a certificate. The paths are of PEM files with the CAs that
    /// vouch for them; they are read again when they have changed.
    public enum ClientAuthentication: Sendable, Hashable {
        case none
        /// One that is shown must be good; ``TLSInfo/peerSubject`` is `nil` if there was none.
        case optional(authorities: String)
        case required(authorities: String)

        var authorities: String? {
            switch self {
            case .none: nil
            case .optional(let path), .required(let path): path
            }
        }
    }

    /// The first one whose names match what the client asks for is shown (SNI, RFC 6066 §3), or the
    /// first.
    public var identities: [Identity]
    public var clientAuthentication = ClientAuthentication.none

    public init(_ identities: [Identity]) { self.identities = identities }

    public init(certificateFile: String, privateKeyFile: String) {
        self.init([.files(certificate: certificateFile, privateKey: privateKeyFile)])
    }
}

/// Whom a TLS client trusts and what it shows. TLS 1.2 and 1.3; ALPN `http/1.1`.
public struct TLSClientConfiguration: Sendable {
    public enum Trust: Sendable, Hashable {
        /// The machine's own store, as OpenSSL finds it.
        case system
        /// The CAs in this PEM file, or a server's self-signed certificate, and no others.
        case file(String)
        /// For tests only: whoever answers may read and change everything.
        case anyCertificate
    }

    public var trust = Trust.system
    /// Whether the certificate must be for the URL's host (RFC 9525). Not looked at with
    /// ``Trust/anyCertificate``.
    public var checksHostName = true
    /// Asked for and checked in place of the URL's host.
    public var serverName: String?
    /// Shown if the server asks for one.
    public var identity: TLSConfiguration.Identity?

    public init() {}

    /// For tests: no certificate is refused.
    public static var trustsAnyCertificate: Self {
        var configuration = Self()
        configuration.trust = .anyCertificate
        return configuration
    }
}
