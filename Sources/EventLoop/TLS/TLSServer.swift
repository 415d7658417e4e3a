import COpenSSL
import Glibc
import Synchronization

/// The TLS side of a listener: makes the sessions of accepted connections, from certificates that
/// are read again when their files change. From any thread.
public final class TLSServer: Sendable {
    /// Something about the certificates that people should know.
    public enum Notice: Sendable, Hashable, CustomStringConvertible {
        /// Clients will refuse this certificate, by its dates.
        case outdated(String)
        case reloaded
        /// What was read before stays in use.
        case notReloaded(TLSFileError)

        public var description: String {
            switch self {
            case .outdated(let text): text
            case .reloaded: "the certificate files have changed and were read again"
            case .notReloaded(let error): "\(error); the certificates read before stay in use"
            }
        }
    }

    private let configuration: TLSConfiguration
    private let onNotice: @Sendable (Notice) -> Void
    private let state: Mutex<State>

    private struct State {
        var certificates: TLSCertificates
        var stamps: [FileStamp?]
        var checkedAt: MonotonicTime
        var madeAt: MonotonicTime
    }

    /// How often the files are looked at, at most.
    private static let checkInterval: Duration = .seconds(1)
    /// How long tickets can be used whose keys are made here (RFC 8446 §4.6.1 allows 7 days); a key
    /// that leaks opens no more than that of TLS 1.2.
    private static let ticketKeyLifetime: Duration = .seconds(12 * 3_600)

    /// Reads the files.
    ///
    /// - Parameter onNotice: called from any thread, also within this call.
    public init(
        _ configuration: TLSConfiguration, onNotice: @escaping @Sendable (Notice) -> Void = { _ in }
    ) throws(TLSFileError) {
        self.configuration = configuration
        self.onNotice = onNotice
        let now = MonotonicTime.current()
        // Before the files are read: what changes meanwhile is found at the next look.
        let stamps = Self.stamps(configuration)
        let certificates = try TLSCertificates(configuration)
        state = Mutex(
            State(certificates: certificates, stamps: stamps, checkedAt: now, madeAt: now))
        for text in certificates.outdated() { onNotice(.outdated(text)) }
    }

    /// - Parameter now: the loop's time.
    func makeSession(at now: MonotonicTime) throws(SystemError) -> TLSSession {
        let certificates = state.withLock { state in
            reloadIfNeeded(&state, now)
            return state.certificates
        }
        return try TLSSession(certificates.first, isServer: true, keeping: certificates)
    }

    private func reloadIfNeeded(_ state: inout State, _ now: MonotonicTime) {
        guard now - state.checkedAt >= Self.checkInterval else { return }
        state.checkedAt = now
        let stamps = Self.stamps(configuration)
        let hasChanged = stamps != state.stamps
        guard hasChanged || now - state.madeAt >= Self.ticketKeyLifetime else { return }
        // A file that cannot be used is reported once, and tried again when it changes again.
        state.stamps = stamps
        state.madeAt = now
        do throws(TLSFileError) {
            state.certificates = try TLSCertificates(configuration)
            if hasChanged { onNotice(.reloaded) }
            for text in state.certificates.outdated() { onNotice(.outdated(text)) }
        } catch {
            onNotice(.notReloaded(error))
        }
    }

    private static func stamps(_ configuration: TLSConfiguration) -> [FileStamp?] {
        var paths: [String] = []
        for case .files(let certificate, let privateKey) in configuration.identities {
            paths += [certificate, privateKey]
        }
        if let authorities = configuration.clientAuthentication.authorities {
            paths.append(authorities)
        }
        return paths.map(FileStamp.init)
    }
}

/// The certificates of a server, one context each, as they were read at one time.
final class TLSCertificates: Sendable {
    private let contexts: [TLSContext]
    private let names: [String]
    let first: TLSContext

    init(_ configuration: TLSConfiguration) throws(TLSFileError) {
        var contexts: [TLSContext] = []
        var names: [String] = []
        for identity in configuration.identities {
            contexts.append(try Self.context(identity, configuration.clientAuthentication))
            switch identity {
            case .files(let path, _): names.append("certificate '\(path)'")
            case .selfSigned: names.append("self-signed certificate")
            }
        }
        guard let first = contexts.first else {
            throw TLSFileError(content: .certificate, path: "", reason: "none is given")
        }
        self.contexts = contexts
        self.names = names
        self.first = first
        // The callback is asked of the context that a connection began with. Its sessions keep
        // `self`.
        tls_set_server_name_callback(
            first.pointer,
            { ssl, _, argument in
                guard let ssl, let argument else { return SSL_TLSEXT_ERR_NOACK }
                return Unmanaged<TLSCertificates>.fromOpaque(argument).takeUnretainedValue().choose(
                    ssl)
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    private static func context(
        _ identity: TLSConfiguration.Identity,
        _ authentication: TLSConfiguration.ClientAuthentication
    ) throws(TLSFileError) -> TLSContext {
        let context: TLSContext
        do throws(SystemError) {
            context = try TLSContext(isServer: true)
        } catch {
            throw TLSFileError(content: .certificate, path: "", reason: "\(error)")
        }
        try context.use(identity)
        SSL_CTX_set_alpn_select_cb(context.pointer, selectProtocol, nil)
        // A ticket is good for connections that this kind of listener made, and for no other.
        let name = Array("WebSocketHost".utf8)
        SSL_CTX_set_session_id_context(context.pointer, name, UInt32(name.count))
        if let authorities = authentication.authorities {
            try context.trust(authorities)
            SSL_CTX_set_client_CA_list(context.pointer, SSL_load_client_CA_file(authorities))
            var mode = SSL_VERIFY_PEER
            if case .required = authentication { mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT }
            SSL_CTX_set_verify(context.pointer, mode, nil)
        }
        return context
    }

    /// Takes the first certificate that is for the name the client asks for.
    private func choose(_ ssl: OpaquePointer) -> Int32 {
        guard let name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else {
            return SSL_TLSEXT_ERR_NOACK
        }
        let byteCount = strlen(name)
        for context in contexts {
            guard let certificate = context.certificate,
                X509_check_host(certificate, name, byteCount, 0, nil) == 1
            else { continue }
            if context !== first { SSL_set_SSL_CTX(ssl, context.pointer) }
            return SSL_TLSEXT_ERR_OK
        }
        return SSL_TLSEXT_ERR_NOACK
    }

    /// A sentence for each certificate that is not valid yet or no longer.
    func outdated() -> [String] {
        var texts: [String] = []
        for (context, name) in zip(contexts, names) {
            guard let certificate = context.certificate else { continue }
            let (begin, end) = (X509_get0_notBefore(certificate), X509_get0_notAfter(certificate))
            if X509_cmp_current_time(end) < 0 {
                texts.append("\(name) expired on \(Self.text(end)): clients will refuse it")
            } else if X509_cmp_current_time(begin) > 0 {
                texts.append(
                    "\(name) is not valid before \(Self.text(begin)): clients will refuse it")
            }
        }
        return texts
    }

    private static func text(_ time: UnsafePointer<ASN1_TIME>?) -> String {
        guard let time, let memory = BIO_new(BIO_s_mem()) else { return "" }
        defer { BIO_free(memory) }
        ASN1_TIME_print(memory, time)
        return readAll(memory)
    }
}

/// `http/1.1` or nothing; RFC 7301 §3.2: a client that knows only others gets an alert.
private func selectProtocol(
    _ ssl: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ chosenByteCount: UnsafeMutablePointer<UInt8>?, _ offered: UnsafePointer<UInt8>?,
    _ byteCount: UInt32, _ argument: UnsafeMutableRawPointer?
) -> Int32 {
    let list = UnsafeBufferPointer(start: offered, count: Int(byteCount))
    var rest = list[...]
    while let length = rest.popFirst(), length <= rest.count {
        let name = rest.prefix(Int(length))
        if name.elementsEqual(TLSSession.protocolName) {
            chosen?.pointee = UnsafeBufferPointer(rebasing: name).baseAddress
            chosenByteCount?.pointee = length
            return SSL_TLSEXT_ERR_OK
        }
        rest = rest.dropFirst(Int(length))
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}
