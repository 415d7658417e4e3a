import CommandLineOptions
import EventLoop
import WebSocketHost

/// The options about TLS, and the configuration that they make together.
struct TLSOptions: Sendable {
    var isOn = false
    /// `--tls-port`
    var port: UInt16?
    /// `--listen ADDRESS,tls`
    var isWantedByAddress = false
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
            name: "tls-port", value: "PORT",
            help: "TLS on this port beside the plain -p, with the same handlers; 0: any free port"
        ) { settings, text, option throws(UsageError) in
            settings.tls.port = UInt16(clamping: try Values.integer(text, 0...65_535, option))
        },
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
        if isOn && port != nil {
            throw UsageError(
                "-t makes -p speak TLS, --tls-port has TLS beside it: remove one of them")
        }
        guard isUsed else { return nil }
        var configuration = TLSConfiguration(try identities())
        if wantsClientCertificate, let clientAuthorities {
            configuration.clientAuthentication =
                isClientCertificateOptional
                ? .optional(authorities: clientAuthorities)
                : .required(authorities: clientAuthorities)
        }
        return configuration
    }

    private var isUsed: Bool { isOn || isSelfSigned || port != nil || isWantedByAddress }

    /// Whether every address speaks TLS, not only those that say so.
    var isEverywhere: Bool { isUsed && port == nil && !(isWantedByAddress && !isOn) }

    /// Where a server listens that has a port for TLS beside the other.
    ///
    /// - Parameter plain: the other; `nil`: there is none.
    /// - Returns: `nil`: there is no such port.
    func listener(
        on host: String, beside plain: ListenerSettings?
    ) throws(UsageError) -> ListenerSettings? {
        guard let port else { return nil }
        if port != 0 && port == plain?.address.port {
            throw UsageError("--tls-port: \(port) is the port of -p; TLS needs one of its own")
        }
        var secure = ListenerSettings(host: host, port: port, isSecure: true)
        secure.option = "--tls-port"
        return secure
    }

    private func checkClientOptions() throws(UsageError) {
        if wantsClientCertificate && !isUsed {
            throw UsageError("--tls-client-auth needs TLS: add -t or --tls-port, or remove it")
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
        let name = isOn ? "-t" : port == nil ? "--listen ADDRESS,tls" : "--tls-port"
        let remedy = "give both, or --tls-self-signed to try it out"
        guard !certificates.isEmpty else {
            throw UsageError("\(name) needs -c CERTIFICATE and -k KEY: \(remedy)")
        }
        guard certificates.count == privateKeys.count else {
            throw UsageError(
                "\(name) needs a key (-k) for each certificate (-c): \(privateKeys.count) for "
                    + "\(certificates.count); \(remedy)")
        }
        return zip(certificates, privateKeys).map { .files(certificate: $0, privateKey: $1) }
    }

    /// Lines for the start-up message.
    ///
    /// - Parameter place: where it speaks TLS, as openssl's options name it.
    func notes(place: String) -> [String] {
        if let selfSigned {
            let names = selfSigned.names.joined(separator: ", ")
            return [
                "self-signed certificate for \(names), valid for 30 days; "
                    + "clients reject it until they trust it:",
                "in a browser, accept it once; its SHA-256 is \(selfSigned.fingerprint)",
                "for other clients, save it: openssl s_client \(place) "
                    + "</dev/null | openssl x509 >localhost.pem",
            ]
        }
        let isUnused =
            !isUsed && !(certificates.isEmpty && privateKeys.isEmpty && clientAuthorities == nil)
        return isUnused
            ? [
                "no TLS: -c, -k and --tls-client-ca have no effect without -t, --tls-port or "
                    + "--listen ADDRESS,tls"
            ] : []
    }
}
