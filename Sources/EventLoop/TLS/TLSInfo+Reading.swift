import COpenSSL
import Glibc

extension TLSInfo {
    /// Reads what a connection whose handshake is over knows.
    init(_ ssl: OpaquePointer) {
        var content = Content()
        content.version = SSL_get_version(ssl).map { String(cString: $0) } ?? ""
        content.cipher =
            SSL_get_current_cipher(ssl).flatMap(SSL_CIPHER_standard_name)
            .map { String(cString: $0) } ?? ""
        content.serverName = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name).map {
            String(cString: $0)
        }
        content.alpn = Self.alpn(ssl)
        content.isResumed = SSL_session_reused(ssl) == 1
        if let certificate = SSL_get0_peer_certificate(ssl) {
            content.peerSubject = Self.text(of: X509_get_subject_name(certificate))
            content.peerSubjectAlternativeNames = Self.alternativeNames(certificate)
        }
        self.init(content)
    }

    private static func alpn(_ ssl: OpaquePointer) -> String? {
        var name: UnsafePointer<UInt8>?
        var byteCount: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &name, &byteCount)
        guard let name, byteCount > 0 else { return nil }
        return String(
            decoding: UnsafeBufferPointer(start: name, count: Int(byteCount)), as: UTF8.self)
    }

    /// RFC 4514, but with UTF-8 as it is.
    private static func text(of name: OpaquePointer?) -> String? {
        guard let name, let memory = BIO_new(BIO_s_mem()) else { return nil }
        defer { BIO_free(memory) }
        guard tls_print_name(memory, name) >= 0 else { return nil }
        return readAll(memory)
    }

    private static func alternativeNames(_ certificate: OpaquePointer) -> [String] {
        guard let found = X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else {
            return []
        }
        let names = OpaquePointer(found)
        defer { GENERAL_NAMES_free(names) }
        return (0..<max(0, OPENSSL_sk_num(names))).compactMap { index in
            OPENSSL_sk_value(names, index).flatMap {
                text(of: $0.assumingMemoryBound(to: GENERAL_NAME.self))
            }
        }
    }

    private static func text(of name: UnsafeMutablePointer<GENERAL_NAME>) -> String? {
        var kind: Int32 = 0
        guard let value = GENERAL_NAME_get0_value(name, &kind) else { return nil }
        let label: String
        switch kind {
        case GEN_DNS: label = "DNS"
        case GEN_EMAIL: label = "email"
        case GEN_URI: label = "URI"
        case GEN_IPADD: label = "IP"
        default: return nil
        }
        let string = value.assumingMemoryBound(to: ASN1_STRING.self)
        let bytes = UnsafeBufferPointer(
            start: ASN1_STRING_get0_data(string), count: Int(max(0, ASN1_STRING_length(string))))
        guard kind == GEN_IPADD else { return "\(label):\(String(decoding: bytes, as: UTF8.self))" }
        return address(bytes).map { "\(label):\($0)" }
    }

    private static func address(_ bytes: UnsafeBufferPointer<UInt8>) -> String? {
        let family: Int32
        switch bytes.count {
        case 4: family = AF_INET
        case 16: family = AF_INET6
        default: return nil
        }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(family, bytes.baseAddress, &text, socklen_t(text.count)) != nil else {
            return nil
        }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// What was written to a memory BIO, as text.
func readAll(_ memory: OpaquePointer) -> String {
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4_096)
    while true {
        let count = BIO_read(memory, &piece, Int32(piece.count))
        guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
        bytes += piece[..<Int(count)]
    }
}
