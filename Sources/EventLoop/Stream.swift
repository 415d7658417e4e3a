import Glibc

/// Who uses a stream. All calls come on the loop's thread.
package protocol StreamDelegate: AnyObject {
    /// - Parameter bytes: valid for this call, and the delegate's to overwrite.
    func streamReceived(_ bytes: UnsafeMutableRawBufferPointer)
    /// The peer sends no more; writing may still work.
    func streamReachedEnd()
    /// The queue has fallen to the mark, after ``Stream/needsDrainNotice`` was set.
    func streamDrained()
    /// The connection is gone; nothing more comes or can be written.
    func streamFailed(_ error: SystemError)
    /// TLS came to nothing, or broke. After ``TLSError/notTLS`` what is written now goes out
    /// without TLS. The stream closes by itself.
    func streamFailed(_ error: TLSError)
    /// The last call: the descriptor is closed.
    func streamClosed()
}

extension StreamDelegate {
    package func streamFailed(_ error: TLSError) { streamFailed(SystemError("TLS", code: EPROTO)) }
}

/// A connected TCP socket: reads into its loop's buffer, writes through a queue.
///
/// Edge-triggered for both directions from the start, so that neither waiting to write nor pausing
/// to read costs a system call. What is written in one batch leaves in one `send`. A stream that
/// has nothing to send owns no buffer. Belongs to its loop's thread.
public final class Stream: EventSource {
    // What each message needs comes first and lies together, as in a Connection.

    public let loop: Loop
    /// `nil`: closed, or no socket but ``memory``.
    @exclusivity(unchecked) private var descriptor: FileDescriptor?
    var fd: Int32 { descriptor?.number ?? -1 }
    @exclusivity(unchecked) var isReadable = false
    @exclusivity(unchecked) private var hasHungUp = false
    @exclusivity(unchecked) private var isReadingPaused = false
    @exclusivity(unchecked) private var isReadScheduled = false
    @exclusivity(unchecked) private var isFlushScheduled = false
    /// Closing or closed: nothing more is taken to be sent.
    @exclusivity(unchecked) private(set) var isClosing = false
    @exclusivity(unchecked) private var descriptorIsClosed = false
    @exclusivity(unchecked) private var isPeerFirst = false
    /// What is sent now is the last: the descriptor is closed right behind it.
    @exclusivity(unchecked) private var isEndNext = false
    /// Our half is closed.
    @exclusivity(unchecked) private var hasShutDown = false
    @exclusivity(unchecked) private var hasReachedEnd = false
    /// Ask for ``StreamDelegate/streamDrained()`` when at most this much is left in the queue.
    @exclusivity(unchecked) public var needsDrainNotice = false
    @exclusivity(unchecked) private var currentDelegate: (any StreamDelegate)?
    /// `nil`: what is written goes out as it is. See TLS/StreamTLS.swift.
    @exclusivity(unchecked) var tls: TLSSession?
    @exclusivity(unchecked) var output: ByteQueue?
    /// What goes out before `output`, from where it lies: see StreamLoans.swift.
    @exclusivity(unchecked) var loans: [Loan] = []
    /// Parts of files that go out between the bytes of `output`: see StreamFiles.swift.
    @exclusivity(unchecked) var fileParts: FileParts?
    private let drainMark: Int
    @exclusivity(unchecked) private var byteCounts = (received: 0, sent: 0)
    /// The other end, where that is no socket but in this process. See MemoryPeer.swift.
    let memory: MemoryPeer?

    // The rest.

    public let peer: SocketAddress
    @exclusivity(unchecked) private var lingerTimer: Timer?

    // Stored properties that other modules read would be checked at each access.

    /// Whether the descriptor is closed.
    public var isClosed: Bool { descriptorIsClosed }
    public internal(set) var receivedByteCount: Int {
        get { byteCounts.received }
        set { byteCounts.received = newValue }
    }
    public internal(set) var sentByteCount: Int {
        get { byteCounts.sent }
        set { byteCounts.sent = newValue }
    }
    /// The stream keeps its delegate until it is closed.
    package var delegate: (any StreamDelegate)? {
        get { currentDelegate }
        set { currentDelegate = newValue }
    }

    /// `recv` calls per turn, so that one busy peer does not keep the others waiting.
    private static let readLimitPerTurn = 4

    /// Takes over a connected descriptor and watches it. On the loop's thread.
    ///
    /// - Parameter drainMark: the queue length in bytes up to which writers may go on.
    public init(
        _ descriptor: consuming FileDescriptor, peer: SocketAddress, on loop: Loop,
        drainMark: Int = defaultDrainMark
    ) throws(SystemError) {
        self.descriptor = consume descriptor
        memory = nil
        self.peer = peer
        self.loop = loop
        self.drainMark = drainMark
        try self.descriptor?.watch(
            [.readable, .writable, .hangUp, .edgeTriggered], by: self, on: loop, isBatched: true)
    }

    public static let defaultDrainMark = 65_536

    /// A stream without a socket. On the loop's thread.
    package init(
        _ memory: MemoryPeer, peer: SocketAddress, on loop: Loop,
        drainMark: Int = defaultDrainMark
    ) {
        self.memory = memory
        self.peer = peer
        self.loop = loop
        self.drainMark = drainMark
        memory.stream = self
    }

    /// Our end of the connection; asks the kernel.
    public var localAddress: SocketAddress? { try? Socket.localAddress(fd) }

    public func ready(_ readiness: Readiness) {
        if isReadingPaused && !readiness.isDisjoint(with: .broken) {
            return fail(SystemError("recv", code: ECONNRESET))
        }
        if !readiness.isDisjoint(with: .hangUp) { hasHungUp = true }
        // Before writing: that fails on a broken connection, whose last bytes can still be read.
        if !readiness.isDisjoint(with: [.readable, .hangUp]) {
            isReadable = true
            readTurn()
        }
        if readiness.contains(.writable), hasOutput || tls != nil { flush() }
        // After the peer's end nothing is read that could tell of the reset that followed.
        if hasReachedEnd && !readiness.isDisjoint(with: .broken) {
            fail(SystemError("recv", code: ECONNRESET))
        }
    }
}

// MARK: - Reading

extension Stream {
    /// Stops reading: the peer's sending will stop too, when its and our kernel's buffers are full.
    public func pauseReading() { isReadingPaused = true }

    public func resumeReading() {
        guard isReadingPaused else { return }
        isReadingPaused = false
        readSoon()
    }

    func readSoon() {
        guard isReadable, !isReadScheduled else { return }
        isReadScheduled = true
        loop.readSoon(self)
    }

    func readTurn() {
        isReadScheduled = false
        var budget = Self.readLimitPerTurn
        // The delegate's memory comes while the kernel copies.
        if let start = currentDelegate.map({ Prefetch.address(of: $0) }) {
            Prefetch.lines(0..<4, from: start)
        }
        while isReadable && !isReadingPaused && !isClosed && !hasReachedEnd {
            guard budget > 0 else { return readSoon() }
            budget -= 1
            receive()
        }
    }

    private func receive() {
        let buffer = tls == nil ? loop.receiveBuffer : loop.sealedBuffer
        let count = memory?.read(into: buffer) ?? recv(fd, buffer.baseAddress, buffer.count, 0)
        if count > 0 {
            // A short read has emptied the socket, unless the end has come too (epoll(7)).
            if count < buffer.count && !hasHungUp { isReadable = false }
            loop.batchByteCount &+= count
            if let tls { return received(.init(rebasing: buffer[..<count]), tls) }
            receivedByteCount &+= count
            if !isClosing {
                delegate?.streamReceived(.init(rebasing: buffer[..<count]))
            }
        } else if count == 0 {
            reachedEnd()
        } else if errno == EAGAIN {
            isReadable = false
            hasHungUp = false
        } else if errno != EINTR {
            fail(SystemError("recv"))
        }
    }

    func reachedEnd() {
        hasReachedEnd = true
        if isClosing { finishClosing() } else { delegate?.streamReachedEnd() }
    }
}

// MARK: - Writing

extension Stream {
    /// How much waits to be sent, in bytes.
    public var queuedByteCount: Int { (output?.count ?? 0) + loanByteCount }
    /// Loans do not count: the socket was not asked yet.
    public var isOverDrainMark: Bool { (output?.count ?? 0) > drainMark || fileParts != nil }
    var hasOutput: Bool { output != nil || fileParts != nil || !loans.isEmpty }

    /// Room at the end of the queue, to be filled and then made part of it with ``commit(_:)``.
    ///
    /// - Returns: `byteCount` bytes that stay valid until the next call on the stream.
    public func reserve(_ byteCount: Int) -> UnsafeMutableRawPointer {
        if let place = output?.reserve(byteCount) { return place }
        if !loans.isEmpty {
            sendLoans()
            if let place = output?.reserve(byteCount) { return place }
        }
        var queue = loop.queuePool.take()
        let place = queue.reserve(byteCount)
        output = consume queue
        return place
    }

    /// Sends the first `byteCount` bytes of what was reserved at the end of this turn.
    ///
    /// After ``closeAfterSending(linger:)`` or ``close()`` they are dropped: behind our half's end
    /// they would only break the connection before the peer has read the rest.
    public func commit(_ byteCount: Int) {
        guard !isClosing else { return dropReserved() }
        output?.commit(byteCount)
        flushSoon()
    }

    func flushSoon() {
        guard !isFlushScheduled else { return }
        isFlushScheduled = true
        loop.flushSoon(self)
    }

    public func write(_ bytes: [UInt8]) {
        guard !isClosing, !bytes.isEmpty else { return }
        bytes.withUnsafeBytes {
            if let base = $0.baseAddress {
                reserve(bytes.count).copyMemory(from: base, byteCount: bytes.count)
            }
        }
        commit(bytes.count)
    }

    public func write(_ bytes: Slice<UnsafeRawBufferPointer>) {
        guard !isClosing, !bytes.isEmpty else { return }
        UnsafeMutableRawBufferPointer(start: reserve(bytes.count), count: bytes.count)
            .copyBytes(from: bytes)
        commit(bytes.count)
    }

    private func dropReserved() {
        if output?.count == 0 { dropOutput() }
    }

    func dropOutput() {
        if let queue = output.take() { loop.queuePool.giveBack(queue) }
    }

    func flushTurn() {
        isFlushScheduled = false
        flush()
    }

    /// Sends as much of the queue as the socket takes now.
    public func flush() {
        if let tls { return flush(tls) }
        if !loans.isEmpty { sendLoans() }
        while !isClosed {
            if fileParts?.isNext == true {
                guard sendFilePart() else { break }
                continue
            }
            guard let bytes = output?.bytes, bytes.count > 0 else { break }
            // A file or the end follows at once, and goes with these bytes in one segment.
            let limit = min(bytes.count, fileParts?.precedingByteCount ?? .max)
            let flags = fileParts == nil && !isEndNext ? MSG_NOSIGNAL : MSG_NOSIGNAL | MSG_MORE
            let count =
                memory?.take(bytes, byteLimit: limit)
                ?? send(fd, bytes.baseAddress, limit, Int32(flags))
            if count >= 0 {
                sentByteCount &+= count
                output?.removeFirst(count)
                fileParts?.removePreceding(count)
            } else if errno == EAGAIN {
                break  // the next writable edge goes on
            } else if errno != EINTR {
                return fail(SystemError("send"))
            }
        }
        afterFlush()
    }

    func afterFlush() {
        guard !isClosed else { return }
        if output?.count == 0 { dropOutput() }
        if isClosing && !hasOutput { return shutDownSending() }
        tellIfDrained()
    }

    func tellIfDrained() {
        if needsDrainNotice && !isOverDrainMark && !isClosed {
            needsDrainNotice = false
            delegate?.streamDrained()
        }
    }
}

// MARK: - Closing

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
        if peerIsDone && !peerIsFirst && !isReadable && tls == nil {
            isEndNext = true
            flush()
            isEndNext = false
            if isClosed { return }
            // Looked for last: with unread bytes, the reset would take the place of what was sent
            // just now.
            if !hasOutput && !hasUnread { return close() }
        }
        sendLoans()  // what the socket does not take of them is queued while that can be done
        isClosing = true
        isPeerFirst = peerIsFirst
        isReadingPaused = false
        let timer = loop.makeTimer { [unowned self] in close() }
        lingerTimer = timer
        loop.schedule(timer, after: linger)
        if hasOutput { flush() } else { shutDownSending() }
        readSoon()
    }

    /// Bytes that the loop has not been told of.
    private var hasUnread: Bool {
        var byte: UInt8 = 0
        return memory == nil && recv(fd, &byte, 1, Int32(MSG_PEEK)) > 0
    }

    func shutDownSending() {
        if isPeerFirst && !hasReachedEnd || hasShutDown { return }
        tls?.sayGoodbye()
        if tls?.hasRest == true { return }  // the next writable edge goes on
        if hasReachedEnd { return close() }
        hasShutDown = true
        if let memory { return memory.endStream() }
        shutdown(fd, Int32(SHUT_WR))
    }

    private func finishClosing() {
        guard !hasOutput, tls?.hasRest != true else { return }
        tls?.sayGoodbye()
        close()
    }

    func fail(_ error: SystemError) {
        guard !isClosed else { return }
        let delegate = isClosing ? nil : delegate
        delegate?.streamFailed(error)
        close()
    }

    /// Closes at once; what is queued is lost.
    public func close() {
        guard !isClosed else { return }
        descriptorIsClosed = true
        isClosing = true
        if let lingerTimer { loop.cancel(lingerTimer) }
        lingerTimer = nil
        memory?.closeStream()
        descriptor = nil
        dropOutput()
        loans = []
        fileParts = nil
        let delegate = delegate
        self.delegate = nil
        delegate?.streamClosed()
    }
}
