import COpenSSL
import Glibc

/// OpenSSL's settings for connections of one kind: versions, certificate, trust.
///
/// `@unchecked Sendable`: changed only by who makes it, before others see it; from then on OpenSSL
/// counts the uses itself.
final class TLSContext: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Forward secrecy and authenticated encryption; TLS 1.3 has nothing else. RFC 9325 §4.2.
    private static let ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20"

    /// - Throws: if there is no memory, or an OpenSSL made without these versions or ciphers.
    init(isServer: Bool) throws(SystemError) {
        guard let pointer = SSL_CTX_new(isServer ? TLS_server_method() : TLS_client_method()) else {
            throw SystemError("SSL_CTX_new", code: ENOMEM)
        }
        self.pointer = pointer
        guard tls_set_versions(pointer) == 1,
            SSL_CTX_set_cipher_list(pointer, Self.ciphers) == 1
        else { throw SystemError("SSL_CTX_set_cipher_list", code: ENOTSUP) }
        tls_set_modes(pointer)
        // Otherwise OpenSSL asks for a passphrase at the terminal.
        SSL_CTX_set_default_passwd_cb(pointer) { _, _, _, hasAsked in
            hasAsked?.assumingMemoryBound(to: Bool.self).pointee = true
            return -1
        }
    }

    deinit { SSL_CTX_free(pointer) }

    /// The certificate that is shown.
    var certificate: OpaquePointer? { SSL_CTX_get0_certificate(pointer) }
}

// MARK: - Certificates and keys

extension TLSContext {
    func use(_ identity: TLSConfiguration.Identity) throws(TLSFileError) {
        switch identity {
        case .files(let certificate, let privateKey):
            try useCertificate(certificate)
            try useKey(privateKey, of: certificate)
        case .selfSigned(let selfSigned):
            SSL_CTX_use_certificate(pointer, selfSigned.certificate)
            SSL_CTX_use_PrivateKey(pointer, selfSigned.key)
        }
    }

    private func useCertificate(_ path: String) throws(TLSFileError) {
        try checkReadable(path, .certificate)
        ERR_clear_error()
        guard SSL_CTX_use_certificate_chain_file(pointer, path) != 1 else { return }
        let isOther = OpenSSLErrors.firstIs(Int32(ERR_LIB_PEM), PEM_R_NO_START_LINE)
        let reason = OpenSSLErrors.takeReason()
        throw TLSFileError(
            content: .certificate, path: path,
            reason: isOther
                ? "holds no certificate in PEM" : "no certificate that can be used: \(reason)")
    }

    private func useKey(_ path: String, of certificate: String) throws(TLSFileError) {
        try checkReadable(path, .privateKey)
        ERR_clear_error()
        var hasAsked = false
        let isUsed = withUnsafeMutablePointer(to: &hasAsked) { hasAsked in
            SSL_CTX_set_default_passwd_cb_userdata(pointer, hasAsked)
            defer { SSL_CTX_set_default_passwd_cb_userdata(pointer, nil) }
            return SSL_CTX_use_PrivateKey_file(pointer, path, SSL_FILETYPE_PEM) == 1
        }
        let isMatching = isUsed && SSL_CTX_check_private_key(pointer) == 1
        if isMatching { return }
        let isOther = OpenSSLErrors.firstIs(Int32(ERR_LIB_X509), X509_R_KEY_VALUES_MISMATCH)
        let reason = OpenSSLErrors.takeReason()
        let text: String
        if hasAsked {
            text =
                "is protected by a passphrase; this takes it off: "
                + "openssl pkey -in \(path) -out NEW_FILE"
        } else if isUsed || isOther {
            text = "does not belong to the certificate in '\(certificate)'"
        } else {
            text = "holds no private key in PEM that can be used: \(reason)"
        }
        throw TLSFileError(content: .privateKey, path: path, reason: text)
    }

    /// Lets the other end's certificates be vouched for by those in the file only.
    func trust(_ path: String) throws(TLSFileError) {
        try checkReadable(path, .certificateAuthorities)
        ERR_clear_error()
        guard SSL_CTX_load_verify_file(pointer, path) != 1 else { return }
        throw TLSFileError(
            content: .certificateAuthorities, path: path,
            reason: "holds no certificates in PEM that can be used: \(OpenSSLErrors.takeReason())")
    }

    /// Says it in the kernel's words, which OpenSSL would bury.
    private func checkReadable(_ path: String, _ content: TLSFileError.Content) throws(TLSFileError)
    {
        var status = stat()
        var code: Int32 = 0
        if stat(path, &status) != 0 || access(path, R_OK) != 0 {
            code = errno
        } else if status.st_mode & S_IFMT == S_IFDIR {
            code = EISDIR
        }
        if code == 0 { return }
        throw TLSFileError(content: content, path: path, reason: String(cString: strerror(code)))
    }
}
