import Glibc

extension Stream {
    /// `recv` calls per turn, so that one busy peer does not keep the others waiting.
    private static let readLimitPerTurn = 4

    /// Stops reading: the peer's sending will stop too, when its and our kernel's buffers are full.
    ///
    /// Its end is noticed all the same: ``StreamDelegate/streamEndIsKnown()``.
    public func pauseReading() { flags.insert(.readingPaused) }

    public var isReadingPaused: Bool { flags.contains(.readingPaused) }

    /// Whether the peer's end waits behind bytes that are not read, because reading is paused.
    public var isEndKnown: Bool { flags.isSuperset(of: [.hungUp, .readingPaused]) }

    public func resumeReading() {
        guard flags.contains(.readingPaused) else { return }
        flags.remove(.readingPaused)
        readSoon()
    }

    func readSoon() {
        guard flags.isDisjoint(with: .readScheduled), flags.contains(.readable) else { return }
        flags.insert(.readScheduled)
        loop.readSoon(self)
    }

    func readTurn() {
        flags.remove(.readScheduled)
        var budget = Self.readLimitPerTurn
        prefetchDelegate()
        while flags.intersection([.readable, .readingPaused]) == .readable && phase.isReading {
            guard budget > 0 else { return readSoon() }
            budget -= 1
            receive()
        }
    }

    /// Delivers what a peer sent before it was gone: `send` may be what fails first. For
    /// ``StreamDelegate/streamFailed(_:)`` of a stream without TLS.
    package func readRest() {
        while phase.isReading && tls == nil {
            let buffer = loop.buffers.receive
            let count = recv(fd, buffer.baseAddress, buffer.count, 0)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return }
            receivedByteCount &+= count
            currentDelegate?.streamReceived(.init(rebasing: buffer[..<count]))
        }
    }

    private func receive() {
        let buffer = tls == nil ? loop.buffers.receive : loop.buffers.sealed
        let count = memory?.read(into: buffer) ?? recv(fd, buffer.baseAddress, buffer.count, 0)
        if count > 0 {
            // A short read has emptied the socket, unless the end has come too (epoll(7)).
            if count < buffer.count && !flags.contains(.hungUp) { flags.remove(.readable) }
            loop.batchByteCount &+= count
            if let tls { return received(.init(rebasing: buffer[..<count]), tls) }
            receivedByteCount &+= count
            if !isClosing { currentDelegate?.streamReceived(.init(rebasing: buffer[..<count])) }
        } else if count == 0 {
            peerEnded()
        } else if errno == EAGAIN {
            flags.subtract([.readable, .hungUp])
        } else if errno != EINTR {
            fail(SystemError("recv"))
        }
    }
}
