import CommandLineOptions
import EventLoop
import WebSocketHost

/// The options about TLS, and the configuration that they make together.
struct TLSOptions: Sendable {
    var isOn = false
    var privateKeys: [String] = []
    var certificates: [String] = []
    var isSelfSigned = false
    var wantsClientCertificate = false
    var isClientCertificateOptional = false
    var clientAuthorities: String?
    /// Made for `--tls-self-signed`.
    private(set) var selfSigned: SelfSignedCertificate?

    static let options: [ServerOption] = [
        ServerOption(
            name: "tls", letter: "t",
            help: "TLS 1.2 and 1.3 only: wss:// and https:// in place of ws:// and http://"
        ) { settings, _, _ in settings.tls.isOn = true },
        ServerOption(
            name: "certificate", letter: "c", value: "FILE",
            help:
                "PEM: the server's certificate, then its intermediates; several -c and -k are "
                + "pairs, chosen by the name the client asks for (SNI); changed files are read "
                + "again"
        ) { settings, text, _ in settings.tls.certificates.append(text) },
        ServerOption(
            name: "private-key", letter: "k", value: "FILE",
            help: "PEM: the certificate's key, without a passphrase"
        ) { settings, text, _ in settings.tls.privateKeys.append(text) },
        ServerOption(
            name: "tls-self-signed",
            help: "TLS for trying out: a certificate for this machine, made at each start"
        ) { settings, _, _ in settings.tls.isSelfSigned = true },
        ServerOption(
            name: "tls-client-auth", help: "clients must show a certificate of --tls-client-ca"
        ) { settings, _, _ in settings.tls.wantsClientCertificate = true },
        ServerOption(
            name: "tls-client-cert-optional",
            help: "with --tls-client-auth: no certificate is fine, a bad one is not"
        ) { settings, _, _ in settings.tls.isClientCertificateOptional = true },
        ServerOption(
            name: "tls-client-ca", value: "FILE",
            help: "PEM: the CAs whose client certificates are accepted"
        ) { settings, text, _ in settings.tls.clientAuthorities = text },
    ]

    static func option(for content: TLSFileError.Content) -> String {
        switch content {
        case .certificate: "-c, --certificate"
        case .privateKey: "-k, --private-key"
        case .certificateAuthorities: "--tls-client-ca"
        }
    }
}

// MARK: - Together

extension TLSOptions {
    /// - Returns: `nil` for no TLS.
    /// - Throws: options that do not go together, and what to write instead.
    mutating func configuration() throws(UsageError) -> TLSConfiguration? {
        try checkClientOptions()
        guard isOn || isSelfSigned else { return nil }
        var configuration = TLSConfiguration(try identities())
        if wantsClientCertificate, let clientAuthorities {
            configuration.clientAuthentication =
                isClientCertificateOptional
                ? .optional(authorities: clientAuthorities)
                : .required(authorities: clientAuthorities)
        }
        return configuration
    }

    private func checkClientOptions() throws(UsageError) {
        if wantsClientCertificate && !isOn && !isSelfSigned {
            throw UsageError("--tls-client-auth needs TLS: add -t, or remove it")
        }
        if isClientCertificateOptional && !wantsClientCertificate {
            throw UsageError(
                "--tls-client-cert-optional needs --tls-client-auth: add that, or remove it")
        }
        if wantsClientCertificate && clientAuthorities == nil {
            throw UsageError(
                "--tls-client-auth needs --tls-client-ca FILE: the CAs whose client certificates "
                    + "are accepted"
            )
        }
    }

    private mutating func identities() throws(UsageError) -> [TLSConfiguration.Identity] {
        if isSelfSigned {
            guard certificates.isEmpty && privateKeys.isEmpty else {
                throw UsageError(
                    "--tls-self-signed makes its own certificate: remove -c and -k, or this option")
            }
            do throws(SystemError) {
                let made = try SelfSignedCertificate()
                selfSigned = made
                return [.selfSigned(made)]
            } catch {
                throw UsageError("--tls-self-signed: \(error)")
            }
        }
        let remedy = "give both, or --tls-self-signed to try it out"
        guard !certificates.isEmpty else {
            throw UsageError("-t needs -c CERTIFICATE and -k KEY: \(remedy)")
        }
        guard certificates.count == privateKeys.count else {
            throw UsageError(
                "-t needs a key (-k) for each certificate (-c): \(privateKeys.count) for "
                    + "\(certificates.count); \(remedy)")
        }
        return zip(certificates, privateKeys).map { .files(certificate: $0, privateKey: $1) }
    }

    /// Lines for the start-up message.
    func notes(port: UInt16) -> [String] {
        if let selfSigned {
            let names = selfSigned.names.joined(separator: ", ")
            return [
                "self-signed certificate for \(names), valid for 30 days; "
                    + "clients reject it until they trust it:",
                "in a browser, accept it once; its SHA-256 is \(selfSigned.fingerprint)",
                "for other clients, save it: openssl s_client -connect localhost:\(port) "
                    + "</dev/null | openssl x509 >localhost.pem",
            ]
        }
        let isUnused =
            !isOn && !(certificates.isEmpty && privateKeys.isEmpty && clientAuthorities == nil)
        return isUnused ? ["no TLS: -c, -k and --tls-client-ca have no effect without -t"] : []
    }
}
