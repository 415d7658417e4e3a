import CommandLineOptions
import EventLoop
import WebSocketHost

/// The options about TLS: as they were given, and what they come to together.
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

    static let options: [Option] = [
        Option(
            name: "tls", letter: "t",
            help: "TLS 1.2 and 1.3 only: wss:// and https:// in place of ws:// and http://"
        ) { settings, _, _ in settings.tls.isOn = true },
        Option(
            name: "certificate", letter: "c", value: "FILE",
            help:
                "PEM: the server's certificate, then the intermediate ones; several -c and -k are "
                + "pairs, "
                + "chosen by the name the client asks for (SNI); changed files are read again"
        ) { settings, text, _ in settings.tls.certificates.append(text) },
        Option(
            name: "private-key", letter: "k", value: "FILE",
            help: "PEM: the certificate's key, without a passphrase"
        ) { settings, text, _ in settings.tls.privateKeys.append(text) },
        Option(
            name: "tls-self-signed",
            help: "TLS for trying out: a certificate for this machine, made at each start"
        ) { settings, _, _ in settings.tls.isSelfSigned = true },
        Option(
            name: "tls-client-auth", help: "clients must show a certificate of --tls-client-ca"
        ) { settings, _, _ in settings.tls.wantsClientCertificate = true },
        Option(
            name: "tls-client-cert-optional",
            help: "with --tls-client-auth: they may, and only a good one"
        ) { settings, _, _ in settings.tls.isClientCertificateOptional = true },
        Option(
            name: "tls-client-ca", value: "FILE",
            help: "PEM: the CAs whose client certificates are let in"
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
    /// - Throws: what does not go together, and the way out.
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
            throw UsageError("--tls-client-auth needs TLS: add -t, or leave it out")
        }
        if isClientCertificateOptional && !wantsClientCertificate {
            throw UsageError(
                "--tls-client-cert-optional needs --tls-client-auth: add that, or leave it out")
        }
        if wantsClientCertificate && clientAuthorities == nil {
            throw UsageError(
                "--tls-client-auth needs --tls-client-ca FILE: the CAs whose client certificates "
                    + "are let in"
            )
        }
    }

    private mutating func identities() throws(UsageError) -> [TLSConfiguration.Identity] {
        if isSelfSigned {
            guard certificates.isEmpty && privateKeys.isEmpty else {
                throw UsageError(
                    "--tls-self-signed makes its own certificate: leave out -c and -k, or it")
            }
            do throws(SystemError) {
                let made = try SelfSignedCertificate()
                selfSigned = made
                return [.selfSigned(made)]
            } catch {
                throw UsageError("--tls-self-signed: \(error)")
            }
        }
        let wayOut = "give both, or --tls-self-signed to try it out"
        guard !certificates.isEmpty else {
            throw UsageError("-t needs -c CERTIFICATE and -k KEY: \(wayOut)")
        }
        guard certificates.count == privateKeys.count else {
            throw UsageError(
                "-t needs a key (-k) for each certificate (-c): \(privateKeys.count) for "
                    + "\(certificates.count); \(wayOut)")
        }
        return zip(certificates, privateKeys).map { .files(certificate: $0, privateKey: $1) }
    }

    /// What the start-up says of it.
    func notes(port: UInt16) -> [String] {
        if let selfSigned {
            let names = selfSigned.names.joined(separator: ", ")
            return [
                "self-signed certificate for \(names), for 30 days; "
                    + "clients refuse it until told otherwise:",
                "in a browser accept it once; its SHA-256 is \(selfSigned.fingerprint)",
                "other clients trust it from a file: openssl s_client -connect localhost:\(port) "
                    + "</dev/null | openssl x509 >localhost.pem",
            ]
        }
        let isUnused =
            !isOn && !(certificates.isEmpty && privateKeys.isEmpty && clientAuthorities == nil)
        return isUnused ? ["no TLS: -c, -k and --tls-client-ca are not used without -t"] : []
    }
}
