import Glibc

/// The other end of a ``Stream`` that has no socket: the client, and the kernel and network
/// between.
///
/// Answers the stream as `recv` and `send` would, `errno` and all, so that nothing above sees a
/// difference. It notifies the stream in a turn of its loop, never within a call of the stream's.
///
/// `@unchecked Sendable`: touched on its loop's thread only.
package final class MemoryPeer: @unchecked Sendable {
    /// What TLS would have agreed on; `nil`: there is none.
    let tlsInfo: TLSInfo?
    /// Kept until it is closed, as a loop keeps streams with sockets.
    var stream: Stream?

    /// What the stream has not read.
    private var unread: [UInt8] = []
    private var unreadOffset = 0
    private var hasEnded = false
    private var isReset = false
    private var hasStreamEnded = false
    private var isPaused = false

    /// Called with what the stream sends; valid for the call.
    package var onBytes: (UnsafeRawBufferPointer) -> Void = { _ in }
    /// Called once, when the stream sends no more.
    package var onEnd: () -> Void = {}

    package init(tls: TLSInfo? = nil) { tlsInfo = tls }
}

// MARK: - The peer's side

extension MemoryPeer {
    /// Sends; nothing after ``end()`` or ``reset()``.
    package func send(_ bytes: [UInt8]) {
        guard !hasEnded, !isReset, !bytes.isEmpty else { return }
        unread += bytes
        notify(.readable)
    }

    /// Sends no more, and goes on reading.
    package func end() {
        guard !hasEnded, !isReset else { return }
        hasEnded = true
        notify(.hangUp.subtracting(.broken))
    }

    /// Is gone: what was not read is lost.
    package func reset() {
        guard !isReset else { return }
        isReset = true
        notify(.broken)
    }

    /// Reads nothing more, as if the kernel's buffers were full.
    package func pauseReading() { isPaused = true }

    package func resumeReading() {
        guard isPaused else { return }
        isPaused = false
        notify(.writable)
    }

    private func notify(_ readiness: Readiness) {
        guard let loop = stream?.loop else { return }
        loop.submit { [self] in
            guard let stream, !stream.isClosed else { return }
            stream.ready(readiness)
        }
    }
}

// MARK: - The stream's side

extension MemoryPeer {
    /// What the stream has not read, in bytes.
    var unreadByteCount: Int { unread.count - unreadOffset }

    /// As `recv`: -1 and `EAGAIN` if nothing is there, 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        if isReset { return failed(ECONNRESET) }
        guard unreadOffset < unread.count else { return hasEnded ? 0 : failed(EAGAIN) }
        let rest = unread[unreadOffset...].prefix(buffer.count)
        buffer.copyBytes(from: rest)
        unreadOffset += rest.count
        if unreadOffset == unread.count { (unread, unreadOffset) = ([], 0) }
        return rest.count
    }

    /// As `send`.
    func take(_ bytes: UnsafeRawBufferPointer, byteLimit: Int) -> Int {
        if isReset { return failed(ECONNRESET) }
        if isPaused { return failed(EAGAIN) }
        let taken = UnsafeRawBufferPointer(rebasing: bytes.prefix(byteLimit))
        onBytes(taken)
        return taken.count
    }

    /// As `shutdown`.
    func endStream() {
        guard !hasStreamEnded else { return }
        hasStreamEnded = true
        onEnd()
    }

    /// As `close`.
    func closeStream() {
        stream = nil
        endStream()
    }

    private func failed(_ code: Int32) -> Int {
        errno = code
        return -1
    }
}
