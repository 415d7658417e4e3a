import Glibc

extension Stream {
    /// How much waits to be sent, in bytes.
    public var queuedByteCount: Int {
        (output?.count ?? 0) + loanByteCount + (outputParts?.sharedByteCount ?? 0)
    }
    /// Loans do not count: the socket was not asked yet.
    public var isOverDrainMark: Bool {
        (output?.count ?? 0) > Int(drainMark) || outputParts != nil
    }
    /// Ask for ``StreamDelegate/streamDrained()`` when at most the mark is left in the queue.
    public var needsDrainNotice: Bool {
        get { flags.contains(.drainNotice) }
        set { if newValue { flags.insert(.drainNotice) } else { flags.remove(.drainNotice) } }
    }
    var hasOutput: Bool { output != nil || outputParts != nil || !loans.isEmpty }

    /// Reserves `byteCount` bytes at the end of the queue, to be filled and then made part of it
    /// with ``commit(_:)``. They stay valid until the next call on the stream.
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
        guard !isClosing else {
            if output?.count == 0 { dropOutput() }
            return
        }
        output?.commit(byteCount)
        flushSoon()
    }

    func flushSoon() {
        guard flags.isDisjoint(with: .flushScheduled) else { return }
        flags.insert(.flushScheduled)
        loop.flushSoon(self)
    }

    public func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { write($0[...]) }
    }

    public func write(_ bytes: Slice<UnsafeRawBufferPointer>) {
        guard !isClosing, !bytes.isEmpty else { return }
        UnsafeMutableRawBufferPointer(start: reserve(bytes.count), count: bytes.count)
            .copyBytes(from: bytes)
        commit(bytes.count)
    }

    func dropOutput() {
        if let queue = output.take() { loop.queuePool.giveBack(queue) }
    }

    func flushTurn() {
        flags.remove(.flushScheduled)
        flush()
    }

    /// Sends as much of the queue as the socket takes now.
    public func flush() { flush(isLast: false) }

    /// - Parameter isLast: the descriptor is closed next, and the end goes in one segment with
    ///   these bytes.
    func flush(isLast: Bool) {
        if let tls { return flush(tls) }
        if !loans.isEmpty { sendLoans() }
        while !isClosed {
            if outputParts?.isNext == true {
                guard sendPart() else { break }
                continue
            }
            guard let bytes = output?.bytes, bytes.count > 0 else { break }
            // A file or the end follows at once, and goes with these bytes in one segment.
            let limit = min(bytes.count, outputParts?.precedingByteCount ?? .max)
            let options = outputParts == nil && !isLast ? MSG_NOSIGNAL : MSG_NOSIGNAL | MSG_MORE
            let count =
                memory?.take(bytes, byteLimit: limit)
                ?? Glibc.send(fd, bytes.baseAddress, limit, Int32(options))
            if count >= 0 {
                sentByteCount &+= count
                output?.removeFirst(count)
                outputParts?.removePreceding(count)
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
        if isClosing && !hasOutput { return allIsSent() }
        notifyIfDrained()
    }

    @inline(__always)
    func notifyIfDrained() {
        if needsDrainNotice && !isOverDrainMark && !isClosed {
            flags.remove(.drainNotice)
            currentDelegate?.streamDrained()
        }
    }
}
