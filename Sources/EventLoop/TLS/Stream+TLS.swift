import Glibc

// A stream whose bytes are sealed on their way: the same calls and counts, of what is inside.

extension Stream {
    /// Waits for a TLS handshake from now on. Before the stream has received anything.
    ///
    /// - Throws: if there is no memory; the stream is closed then.
    public func startTLS(_ server: TLSServer) throws(SystemError) {
        try startTLS { () throws(SystemError) in try server.makeSession(at: loop.now) }
    }

    /// Begins a TLS handshake. Before anything was sent; what is written waits for its end.
    ///
    /// - Parameter host: the peer that is asked for: a name, or an address without brackets.
    /// - Throws: if there is no memory, or the host cannot be in a certificate; the stream is
    ///   closed then.
    public func startTLS(_ client: TLSClient, host: String) throws(SystemError) {
        try startTLS { () throws(SystemError) in try client.makeSession(host: host) }
    }

    private func startTLS(_ make: () throws(SystemError) -> TLSSession) throws(SystemError) {
        do {
            let session = try make()
            session.attach(fd)
            tls = session
        } catch {
            close()
            throw error
        }
    }

    /// What was agreed on; `nil` without TLS, and until the handshake is over.
    public var tlsInfo: TLSInfo? {
        tls.flatMap { $0.isEstablished ? $0.info : nil } ?? memory?.tlsInfo
    }

    /// Whether the peer has begun a TLS handshake and not ended it.
    public var isShakingHands: Bool { tls.map { $0.hasBegun && !$0.isEstablished } ?? false }
}

// MARK: - Receiving

extension Stream {
    /// Opens what was received and hands it to the delegate in one go.
    func received(_ sealed: UnsafeRawBufferPointer, _ tls: TLSSession) {
        if tls.isServer && !tls.hasBegun && sealed.first != TLSSession.firstByte {
            return refuseTLS(.notTLS)
        }
        // What comes after our close_notify is not looked at, but a handshake has to be over for
        // it.
        if isClosing && tls.isEstablished { return }
        var opened = TLSSession.Opened()
        tls.take(sealed) {
            if tls.isEstablished || shakeHands(tls) {
                opened = tls.open(into: loop.buffers.receive)
            }
        }
        deliver(opened)
    }

    private func deliver(_ opened: TLSSession.Opened) {
        receivedByteCount &+= opened.byteCount
        if opened.byteCount > 0 && !isClosing {
            delegate?.streamReceived(.init(rebasing: loop.buffers.receive[..<opened.byteCount]))
        }
        if let failure = opened.failure { return fail(failure) }
        if opened.isEnd { peerEnded() }
    }

    /// Whether the handshake is over.
    private func shakeHands(_ tls: TLSSession) -> Bool {
        switch tls.shakeHands() {
        case .waiting: return false
        case .failed(let error):
            refuseTLS(error)
            return false
        case .done:
            flush(tls)
            return !isClosed
        }
    }

    /// How long a peer may take to read why its handshake was refused.
    private static let refusalLinger: Duration = .seconds(1)

    /// Without TLS from now on, so that the delegate may say what was wrong (RFC 9112 has the
    /// words), or the peer reads OpenSSL's alert.
    private func refuseTLS(_ error: TLSError) {
        tls = nil
        // It would go out for everyone to read.
        if error != .notTLS { dropOutput() }
        if isClosing { return hasOutput ? flush() : allIsSent() }
        delegate?.streamFailed(error)
        closeAfterSending(linger: Self.refusalLinger)
    }

    private func fail(_ error: TLSError) {
        guard !isClosed else { return }
        if case .system(let error) = error { return fail(error) }
        if !isClosing { delegate?.streamFailed(error) }
        close()
    }
}

// MARK: - Sending

extension Stream {
    /// Sends as much as the socket takes now: the handshake, the queue, the close_notify.
    func flush(_ tls: TLSSession) {
        do throws(SystemError) {
            guard try tls.sendRest() else { return }  // the next writable edge goes on
        } catch {
            return fail(error)
        }
        guard tls.isEstablished else {
            // A client begins; from then on what is received leads to what is sent.
            if !tls.isServer { _ = shakeHands(tls) }
            return
        }
        var fileByteCount = 0
        while !isClosed, let (bytes, isFile) = nextToSeal() {
            switch tls.seal(bytes) {
            case .sent(let count):
                sentByteCount &+= count
                sealed(count, isFile)
                if isFile { fileByteCount += count }
            case .blocked: return notifyIfDrained()
            case .failed(let error): return fail(error)
            }
            // As without TLS: then the others on the loop have their turn.
            if fileByteCount >= Self.filePieceByteLimit, hasOutput { return flushSoon() }
        }
        if isClosed { return }
        if tls.hasRest { return notifyIfDrained() }
        afterFlush()
    }

    /// What goes out next of the queue or of a file in it; `nil`: nothing, or the stream has
    /// failed.
    private func nextToSeal() -> (bytes: UnsafeRawBufferPointer, isFile: Bool)? {
        if outputParts?.isNext == true { return readPart().map { ($0, true) } }
        guard let bytes = output?.bytes, bytes.count > 0 else { return nil }
        let limit = min(bytes.count, outputParts?.precedingByteCount ?? .max)
        return (UnsafeRawBufferPointer(rebasing: bytes[..<limit]), false)
    }

    private func sealed(_ byteCount: Int, _ isFile: Bool) {
        if isFile {
            outputParts?.advance(byteCount)
            if outputParts?.isEmpty == true { outputParts = nil }
        } else {
            output?.removeFirst(byteCount)
            outputParts?.removePreceding(byteCount)
        }
    }
}
