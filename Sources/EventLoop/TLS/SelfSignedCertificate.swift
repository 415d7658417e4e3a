import COpenSSL
import Glibc

/// A certificate that vouches for itself, and its key, in memory: for trying TLS out.
///
/// ECDSA on P-256. Clients refuse it until they are made to trust it.
///
/// `@unchecked Sendable`: what OpenSSL holds is not changed after it was made.
public final class SelfSignedCertificate: @unchecked Sendable {
    let certificate: OpaquePointer
    let key: OpaquePointer
    /// Whom it is for: names and addresses.
    public let names: [String]

    /// - Parameters:
    ///   - names: host names and addresses; those that cannot stand in a certificate are left out.
    ///   - validFor: from now; negative: expired already, for tests.
    /// - Throws: what OpenSSL lacks.
    public init(
        names: [String] = SelfSignedCertificate.localNames(),
        validFor: Duration = .seconds(30 * 86_400)
    ) throws(SystemError) {
        self.names = names.filter(Self.isPlain)
        guard let key = Self.makeKey() else { throw SystemError("EVP_PKEY_keygen", code: ENOTSUP) }
        guard let certificate = X509_new() else {
            EVP_PKEY_free(key)
            throw SystemError("X509_new", code: ENOMEM)
        }
        self.key = key
        self.certificate = certificate
        try fill(validFor)
    }

    deinit {
        X509_free(certificate)
        EVP_PKEY_free(key)
    }

    /// `localhost`, both loopback addresses and this machine's name.
    public static func localNames() -> [String] {
        var names = ["localhost", "127.0.0.1", "::1"]
        var name = [CChar](repeating: 0, count: 256)
        if gethostname(&name, name.count - 1) == 0 {
            let text = String(
                decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            if !text.isEmpty && !names.contains(text) { names.append(text) }
        }
        return names
    }

    /// SHA-256 of the certificate, as browsers show it: `AB:CD:…`.
    public var fingerprint: String {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var byteCount: UInt32 = 0
        guard X509_digest(certificate, EVP_sha256(), &digest, &byteCount) == 1 else { return "" }
        return digest.prefix(Int(byteCount)).map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return digits.count == 1 ? "0" + digits : digits
        }.joined(separator: ":")
    }

    /// What to give to clients that shall trust it.
    public var certificatePEM: String {
        Self.pem { PEM_write_bio_X509($0, certificate) }
    }

    /// Not encrypted: whoever reads it can pass for this host.
    public var privateKeyPEM: String {
        Self.pem { PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) }
    }

    private static func pem(_ write: (OpaquePointer) -> Int32) -> String {
        guard let memory = BIO_new(BIO_s_mem()) else { return "" }
        defer { BIO_free(memory) }
        return write(memory) == 1 ? readAll(memory) : ""
    }
}

// MARK: - Making it

extension SelfSignedCertificate {
    /// Commas and colons of a name would be read as further names.
    private static func isPlain(_ name: String) -> Bool {
        if isAddress(name) { return true }
        return !name.isEmpty
            && name.unicodeScalars.allSatisfy { scalar in
                switch scalar {
                case "a"..."z", "A"..."Z", "0"..."9", "-", ".", "*": true
                default: false
                }
            }
    }

    private static func isAddress(_ name: String) -> Bool {
        guard let address = a2i_IPADDRESS(name) else { return false }
        ASN1_OCTET_STRING_free(address)
        return true
    }

    private static func makeKey() -> OpaquePointer? {
        guard let context = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil) else { return nil }
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1,
            EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1,
            EVP_PKEY_keygen(context, &key) == 1
        else { return nil }
        return key
    }

    /// A clock that is a little slow elsewhere must not make the certificate one of the future.
    private static let clockSkewSeconds = 3_600

    private func fill(_ validFor: Duration) throws(SystemError) {
        let seconds = Int(validFor.components.seconds)
        X509_set_version(certificate, Int(X509_VERSION_3))
        // Positive and hard to guess: RFC 5280 §4.1.2.2.
        ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), .random(in: 1...(.max >> 1)))
        X509_gmtime_adj(X509_getm_notBefore(certificate), min(0, seconds) - Self.clockSkewSeconds)
        X509_gmtime_adj(X509_getm_notAfter(certificate), seconds)
        X509_set_pubkey(certificate, key)
        let subject = X509_get_subject_name(certificate)
        let commonName = Array((names.first ?? "localhost").utf8.prefix(64))
        X509_NAME_add_entry_by_txt(
            subject, "CN", MBSTRING_UTF8, commonName, Int32(commonName.count), -1, 0)
        X509_set_issuer_name(certificate, subject)
        let alternatives = names.map { (Self.isAddress($0) ? "IP:" : "DNS:") + $0 }
        if !alternatives.isEmpty {
            try add(NID_subject_alt_name, alternatives.joined(separator: ","))
        }
        try add(NID_basic_constraints, "critical,CA:FALSE")
        try add(NID_key_usage, "critical,digitalSignature")
        try add(NID_ext_key_usage, "serverAuth,clientAuth")
        try add(NID_subject_key_identifier, "hash")
        guard X509_sign(certificate, key, EVP_sha256()) > 0 else {
            throw SystemError("X509_sign", code: ENOTSUP)
        }
    }

    private func add(_ id: Int32, _ value: String) throws(SystemError) {
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, certificate, certificate, nil, nil, 0)
        guard let found = X509V3_EXT_conf_nid(nil, &context, id, value) else {
            throw SystemError("X509V3_EXT_conf_nid(\(id))", code: EINVAL)
        }
        defer { X509_EXTENSION_free(found) }
        X509_add_ext(certificate, found, -1)
    }
}
