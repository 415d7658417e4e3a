import Glibc

// How a stream ends: what becomes of bytes in each phase, and which phase follows on what.
//
// | phase     | received, written  | event               | next                                  |
// |-----------|--------------------|---------------------|---------------------------------------|
// | open      | delivered, sent    | the peer's end      | peerEnded                             |
// |           |                    | `closeAfterSending` | draining                              |
// | peerEnded | –, sent            | `closeAfterSending` | draining, with the peer ended         |
// | draining  | dropped, dropped   | the peer's end      | closed if all is sent, else the same  |
// |           |                    |                     | with the peer ended                   |
// |           |                    | all is sent         | lingering; closed if the peer has     |
// |           |                    |                     | ended; no other if the peer is first  |
// | lingering | dropped, dropped   | the peer's end      | closed                                |
// | closed    | –, dropped         | –                   | –                                     |
//
// An error, `close()` and the end of `linger` lead from each phase to closed. So does
// `closeAfterSending` from open and peerEnded if the peer has announced that it sends no more, all
// is sent and nothing is unread. docs/CLOSING.md gives the reasons, under TCP.

extension Stream {
    /// One case has an associated value, so that the others are one comparison.
    enum Phase {
        case open
        /// The peer has ended its half; ours is open.
        case peerEnded
        /// - Parameter timer: closes the stream when the peer has had its time.
        case ending(_ timer: Timer, Ending)
        case closed

        enum Ending {
            /// What is queued is sent, TLS's close_notify behind it; then our half ends.
            ///
            /// - Parameter isPeerFirst: not before the peer's half has ended.
            case draining(isPeerFirst: Bool, hasPeerEnded: Bool)
            /// Our half has ended; the peer's end is waited for.
            case lingering
        }

        /// Whether the socket is read.
        var isReading: Bool {
            switch self {
            case .open: true
            case .ending(_, .draining(_, let hasPeerEnded)): !hasPeerEnded
            case .ending(_, .lingering): true
            case .peerEnded, .closed: false
            }
        }

        var hasPeerEnded: Bool {
            switch self {
            case .peerEnded, .ending(_, .draining(_, hasPeerEnded: true)): true
            case .open, .ending, .closed: false
            }
        }
    }

    /// Closing or closed: nothing more is taken to be sent.
    var isClosing: Bool {
        switch phase {
        case .open, .peerEnded: false
        case .ending, .closed: true
        }
    }

    /// Whether the descriptor is closed.
    public var isClosed: Bool {
        if case .closed = phase { true } else { false }
    }
}

// MARK: - Transitions

extension Stream {
    /// Sends what is queued, then ends the connection without losing it on the way.
    ///
    /// A socket closed with unread input resets the connection, which can destroy what was sent
    /// last before the peer has read it. So: send, shut down our half, and read until the peer's
    /// end has come, for at most `linger`. RFC 6455 §7.1.1, RFC 9112 §9.6.
    ///
    /// - Parameter peerIsFirst: our half stays open until the peer has ended its own: a WebSocket
    ///   client lets the server close first.
    /// - Parameter peerIsDone: the peer has said that it sends nothing more. Then nothing can come
    ///   that resets the connection, and it is closed as soon as all is sent, in one segment with
    ///   that. If bytes came all the same, they are read as without it.
    public func closeAfterSending(
        linger: Duration, peerIsFirst: Bool = false, peerIsDone: Bool = false
    ) {
        guard !isClosing else { return }
        if peerIsDone && !peerIsFirst && !flags.contains(.readable) && tls == nil {
            flush(isLast: true)
            if isClosed { return }
            // Looked for last: with unread bytes, the reset would take the place of what was sent
            // just now.
            if !hasOutput && !hasUnread { return close() }
        }
        sendLoans()  // what the socket does not take of them is queued while that can be done
        let timer = loop.makeTimer { [unowned self] in close() }
        loop.schedule(timer, after: linger)
        phase = .ending(
            timer, .draining(isPeerFirst: peerIsFirst, hasPeerEnded: phase.hasPeerEnded))
        flags.remove(.readingPaused)
        if hasOutput { flush() } else { allIsSent() }
        readSoon()
    }

    /// Bytes that the loop has not reported.
    private var hasUnread: Bool {
        var byte: UInt8 = 0
        return memory == nil && recv(fd, &byte, 1, Int32(MSG_PEEK)) > 0
    }

    func peerEnded() {
        switch phase {
        case .open:
            phase = .peerEnded
            currentDelegate?.streamReachedEnd()
        case .ending(let timer, .draining(let isPeerFirst, _)):
            phase = .ending(timer, .draining(isPeerFirst: isPeerFirst, hasPeerEnded: true))
            if !hasOutput && tls?.hasRest != true { allIsSent() }
        case .ending(_, .lingering): close()
        case .peerEnded, .closed: break
        }
    }

    /// The queue is empty while the stream is closing.
    func allIsSent() {
        guard case .ending(let timer, .draining(let isPeerFirst, let hasPeerEnded)) = phase,
            hasPeerEnded || !isPeerFirst
        else { return }
        tls?.sendCloseNotify()
        if tls?.hasRest == true { return }  // the next writable edge goes on
        if hasPeerEnded { return close() }
        phase = .ending(timer, .lingering)
        if let memory { return memory.endStream() }
        shutdown(fd, Int32(SHUT_WR))
    }

    func fail(_ error: SystemError) {
        guard !isClosed else { return }
        if !isClosing { currentDelegate?.streamFailed(error) }
        close()
    }

    /// Closes at once; what is queued is lost.
    public func close() {
        switch phase {
        case .open, .peerEnded: break
        case .ending(let timer, _): loop.cancel(timer)
        case .closed: return
        }
        phase = .closed
        memory?.closeStream()
        descriptor = nil
        dropOutput()
        loans = []
        outputParts = nil
        let delegate = currentDelegate.take()
        delegate?.streamClosed()
    }
}
