import COpenSSL
import Glibc

/// Why a TLS connection failed.
public enum TLSError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The client speaks something else, such as plain HTTP; it may still be answered in that.
    case notTLS
    /// No agreement on version, cipher, protocol or certificates; with OpenSSL's reason.
    case handshakeFailed(String)
    /// A record that cannot be opened, or a fatal alert of the peer.
    case broken(String)
    case system(SystemError)

    public var description: String {
        switch self {
        case .notTLS: "no TLS handshake but something else"
        case .handshakeFailed(let reason): "TLS handshake failed: \(reason)"
        case .broken(let reason): "TLS connection broken: \(reason)"
        case .system(let error): "\(error)"
        }
    }
}

/// A file with certificates or a key that cannot be used.
public struct TLSFileError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What the file should hold, all as PEM.
    public enum Content: String, Sendable, Hashable {
        /// The certificate, then those that lead to a trusted one.
        case certificate = "certificate"
        case privateKey = "private key"
        /// Those whose certificates are let in.
        case certificateAuthorities = "CA certificates"
    }

    public let content: Content
    /// As it was given.
    public let path: String
    /// What is wrong, and what to do about it where that is known.
    public let reason: String

    public var description: String { "\(content.rawValue) file '\(path)': \(reason)" }
}

/// OpenSSL's list of what went wrong in this thread.
enum OpenSSLErrors {
    /// Whether the list holds this code of this part of OpenSSL.
    static func firstIs(_ library: Int32, _ reason: Int32) -> Bool {
        let code = ERR_peek_error()
        return ERR_GET_LIB(code) == library && ERR_GET_REASON(code) == reason
    }

    /// The first error, which is the most specific, in OpenSSL's words; empties the list.
    static func takeReason() -> String {
        let code = ERR_peek_error()
        ERR_clear_error()
        guard code != 0 else { return "unknown reason" }
        if let text = ERR_reason_error_string(code) { return String(cString: text) }
        let reason = ERR_GET_REASON(code)
        return reason > 0 ? String(cString: strerror(reason)) : "OpenSSL error \(code)"
    }
}
