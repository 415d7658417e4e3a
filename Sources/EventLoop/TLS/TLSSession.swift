import COpenSSL
import Glibc

/// One end of a TLS connection: opens what was received, seals what is to be sent.
///
/// OpenSSL reads from the memory that the loop received into and sends by itself, so an idle
/// connection has no buffer of either kind. It never learns that a socket is full: it cannot answer
/// a KeyUpdate (RFC 8446 §4.6.3) while half a record waits. Belongs to its loop's thread.
final class TLSSession {
    let ssl: OpaquePointer
    let isServer: Bool
    /// Used by OpenSSL's callbacks.
    private let kept: AnyObject
    private var fd: Int32 = -1

    /// What was received and not taken by OpenSSL yet; points into the loop's buffer.
    fileprivate var input = UnsafeRawBufferPointer(start: nil, count: 0)
    /// What OpenSSL has sent and the socket did not take: the end of a record, answers behind it.
    private var rest: [UInt8] = []
    private var restOffset = 0
    private var sendError: SystemError?

    private(set) var isEstablished = false
    /// Whether anything was received.
    private(set) var hasBegun = false
    private var hasFailed = false
    private var hasSentCloseNotify = false

    static let protocolName = Array("http/1.1".utf8)
    /// 2^14: RFC 8446 §5.1.
    private static let recordByteLimit = 16_384
    /// A peer that asks for answers and does not read them is dropped: a record, and 2,000
    /// KeyUpdates.
    private static let restByteLimit = 65_536
    /// ContentType handshake (RFC 8446 §5.1): what each client begins with.
    static let firstByte: UInt8 = 22

    /// - Parameter kept: lives as long as the session.
    init(_ context: TLSContext, isServer: Bool, keeping kept: AnyObject) throws(SystemError) {
        guard let ssl = SSL_new(context.pointer) else { throw SystemError("SSL_new", code: ENOMEM) }
        self.ssl = ssl
        self.isServer = isServer
        self.kept = kept
        guard let bio = BIO_new(Transport.method.pointer) else {
            throw SystemError("BIO_new", code: ENOMEM)
        }
        BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
        BIO_set_init(bio, 1)
        SSL_set_bio(ssl, bio, bio)
        if isServer { SSL_set_accept_state(ssl) } else { SSL_set_connect_state(ssl) }
    }

    deinit { SSL_free(ssl) }

    func attach(_ fd: Int32) { self.fd = fd }

    private func error(_ result: Int32) -> Int32 { SSL_get_error(ssl, result) }

    private func reason(_ make: (String) -> TLSError) -> TLSError {
        hasFailed = true
        if let sendError { return .system(sendError) }
        let isUnverified = OpenSSLErrors.firstIs(
            Int32(ERR_LIB_SSL), SSL_R_CERTIFICATE_VERIFY_FAILED)
        let text = OpenSSLErrors.takeReason()
        guard isUnverified else { return make(text) }
        let detail = X509_verify_cert_error_string(SSL_get_verify_result(ssl)).map {
            String(cString: $0)
        }
        return make("\(text): \(detail ?? "")")
    }
}

// MARK: - Receiving

extension TLSSession {
    /// Lets `body` use ``shakeHands()`` and ``open(into:)`` on what was received.
    ///
    /// - Parameter received: valid during the call.
    func take(_ received: UnsafeRawBufferPointer, _ body: () -> Void) {
        if !received.isEmpty { hasBegun = true }
        input = received
        body()
        input = UnsafeRawBufferPointer(start: nil, count: 0)
    }

    enum Handshake {
        case done, waiting
        case failed(TLSError)
    }

    /// Goes on with the handshake as far as it gets.
    func shakeHands() -> Handshake {
        ERR_clear_error()
        let result = SSL_do_handshake(ssl)
        if result == 1 {
            isEstablished = true
            return .done
        }
        switch error(result) {
        case SSL_ERROR_WANT_READ: return .waiting
        default: return .failed(reason(TLSError.handshakeFailed))
        }
    }

    struct Opened {
        var byteCount = 0
        /// The peer's close_notify came.
        var isEnd = false
        var failure: TLSError?
    }

    /// Opens all whole records.
    ///
    /// - Parameter buffer: larger than what was received and a record together.
    func open(into buffer: UnsafeMutableRawBufferPointer) -> Opened {
        var opened = Opened()
        while opened.byteCount < buffer.count {
            var count = 0
            ERR_clear_error()
            let free = UnsafeMutableRawBufferPointer(rebasing: buffer[opened.byteCount...])
            let result = SSL_read_ex(ssl, free.baseAddress, free.count, &count)
            guard result == 1 else {
                switch error(result) {
                case SSL_ERROR_WANT_READ: break
                case SSL_ERROR_ZERO_RETURN: opened.isEnd = true
                default: opened.failure = reason(TLSError.broken)
                }
                break
            }
            opened.byteCount += count
            // Saves the call that would find nothing.
            if input.isEmpty && SSL_pending(ssl) == 0 { break }
        }
        return opened
    }
}

// MARK: - Sending

extension TLSSession {
    enum Sealed {
        case sent(Int)
        case blocked
        case failed(TLSError)
    }

    /// Sends a record of the first bytes, if nothing waits before it.
    ///
    /// - Parameter bytes: not empty.
    func seal(_ bytes: UnsafeRawBufferPointer) -> Sealed {
        guard !hasRest else { return .blocked }
        var count = 0
        ERR_clear_error()
        let result = SSL_write_ex(
            ssl, bytes.baseAddress, min(bytes.count, Self.recordByteLimit), &count)
        return result == 1 ? .sent(count) : .failed(reason(TLSError.broken))
    }

    /// Sends close_notify (RFC 8446 §6.1), once.
    func sendCloseNotify() {
        guard isEstablished, !hasFailed, !hasSentCloseNotify else { return }
        hasSentCloseNotify = true
        ERR_clear_error()
        SSL_shutdown(ssl)
    }

    /// Whether something waits for the socket to take it.
    var hasRest: Bool { restOffset < rest.count }

    /// Sends what waits.
    ///
    /// - Returns: whether all of it is gone.
    /// - Throws: the error of `send` on a connection that is broken.
    func sendRest() throws(SystemError) -> Bool {
        guard hasRest else { return true }
        restOffset += try rest.withUnsafeBytes { bytes in
            Result { () throws(SystemError) in
                try send(UnsafeRawBufferPointer(rebasing: bytes[restOffset...]))
            }
        }.get()
        if hasRest { return false }
        (rest, restOffset) = ([], 0)
        return true
    }

    private func send(_ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Int {
        while true {
            let count = Glibc.send(fd, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            if count >= 0 { return count }
            if errno == EAGAIN { return 0 }
            if errno != EINTR { throw SystemError("send") }
        }
    }

    /// What OpenSSL's sending comes to.
    fileprivate func sendOrKeep(_ bytes: UnsafeRawBufferPointer) -> Bool {
        do throws(SystemError) {
            let count = hasRest ? 0 : try send(bytes)
            guard count < bytes.count else { return true }
            guard rest.count + bytes.count - count <= Self.restByteLimit else {
                throw SystemError("send", code: ENOBUFS)
            }
            rest += bytes[count...]
            return true
        } catch {
            sendError = error
            return false
        }
    }

    var info: TLSInfo { TLSInfo(ssl) }
}

// MARK: - OpenSSL's way to the socket

private enum Transport {
    /// `@unchecked Sendable`: made once, then only read.
    struct Method: @unchecked Sendable { let pointer: OpaquePointer? }

    static let method: Method = {
        let method = BIO_meth_new(
            BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "WebSocketHost stream")
        BIO_meth_set_read(method) { bio, buffer, byteCount in
            guard let session = session(bio), let buffer, byteCount > 0 else { return -1 }
            return read(
                session, bio, UnsafeMutableRawBufferPointer(start: buffer, count: Int(byteCount)))
        }
        BIO_meth_set_write(method) { bio, bytes, byteCount in
            guard let session = session(bio), let bytes, byteCount > 0 else { return -1 }
            let all = UnsafeRawBufferPointer(start: bytes, count: Int(byteCount))
            return session.sendOrKeep(all) ? byteCount : -1
        }
        BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
        return Method(pointer: method)
    }()

    private static func session(_ bio: OpaquePointer?) -> TLSSession? {
        BIO_clear_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY)
        return BIO_get_data(bio).map { Unmanaged<TLSSession>.fromOpaque($0).takeUnretainedValue() }
    }

    private static func read(
        _ session: TLSSession, _ bio: OpaquePointer?, _ buffer: UnsafeMutableRawBufferPointer
    ) -> Int32 {
        let bytes = session.input.prefix(buffer.count)
        guard !bytes.isEmpty else {
            BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY)
            return -1
        }
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes))
        session.input = UnsafeRawBufferPointer(rebasing: session.input.dropFirst(bytes.count))
        return Int32(bytes.count)
    }
}
