import Glibc

/// What a stream calls. All calls come on the loop's thread.
package protocol StreamDelegate: AnyObject {
    /// - Parameter bytes: valid for this call, and the delegate's to overwrite.
    func streamReceived(_ bytes: UnsafeMutableRawBufferPointer)
    /// The peer sends no more; writing may still work.
    func streamReachedEnd()
    /// The peer sends no more, but reading is paused: what it sent before has to be read until
    /// ``streamReachedEnd()`` comes. May be called again.
    func streamEndIsKnown()
    /// The queue has fallen to the mark, after ``Stream/needsDrainNotice`` was set.
    func streamDrained()
    /// The connection is gone; nothing more comes or can be written.
    func streamFailed(_ error: SystemError)
    /// TLS failed. After ``TLSError/notTLS`` what is written now goes out without TLS. The stream
    /// closes by itself.
    func streamFailed(_ error: TLSError)
    /// The last call: the descriptor is closed.
    func streamClosed()
}

extension StreamDelegate {
    package func streamEndIsKnown() {}
    package func streamFailed(_ error: TLSError) { streamFailed(SystemError("TLS", code: EPROTO)) }
}

/// A connected stream socket: reads into its loop's buffer, writes through a queue.
///
/// Edge-triggered for both directions from the start, so that neither waiting to write nor pausing
/// to read costs a system call. What is written in one batch leaves in one `send`. A stream that
/// has nothing to send owns no buffer. Belongs to its loop's thread.
public final class Stream: EventSource {
    // What each message needs comes first and lies together, as in a Connection.

    public let loop: Loop
    /// `nil`: closed, or no socket but ``memory``.
    @exclusivity(unchecked) var descriptor: FileDescriptor?
    /// See Stream+Closing.swift, where all of its transitions are.
    @exclusivity(unchecked) var phase = Phase.open
    @exclusivity(unchecked) var flags: Flags = []
    /// In bytes; 32 bits, since these fit beside the flags.
    let drainMark: UInt32
    @exclusivity(unchecked) var currentDelegate: (any StreamDelegate)?
    /// `nil`: what is written goes out as it is. See TLS/Stream+TLS.swift.
    @exclusivity(unchecked) var tls: TLSSession?
    @exclusivity(unchecked) var output: ByteQueue?
    /// What goes out before `output`, from where it lies: see Tuning/Stream+Loans.swift.
    @exclusivity(unchecked) var loans: [Loan] = []
    /// What goes out between the bytes of `output`: see Stream+Files.swift, Stream+Shared.swift.
    @exclusivity(unchecked) var outputParts: OutputParts?
    @exclusivity(unchecked) var byteCounts = (received: 0, sent: 0)
    /// The other end, where that is no socket but in this process. See MemoryPeer.swift.
    let memory: MemoryPeer?
    /// The other end of the connection. A proxy's client takes its place once the stream is one
    /// client's.
    @exclusivity(unchecked) public package(set) var peer: SocketAddress

    /// What the kernel reported, and what the loop or the delegate asked for.
    struct Flags: OptionSet {
        let rawValue: UInt8

        /// There may be something to read.
        static let readable = Flags(rawValue: 1)
        /// The peer's end was reported: a short read does not mean that the socket is empty.
        static let hungUp = Flags(rawValue: 2)
        static let readingPaused = Flags(rawValue: 4)
        /// The loop calls ``readTurn()`` next.
        static let readScheduled = Flags(rawValue: 8)
        /// The loop calls ``flushTurn()`` next.
        static let flushScheduled = Flags(rawValue: 16)
        static let drainNotice = Flags(rawValue: 32)
    }

    // Stored properties that other modules read would be checked at each access.

    public internal(set) var receivedByteCount: Int {
        get { byteCounts.received }
        set { byteCounts.received = newValue }
    }
    public internal(set) var sentByteCount: Int {
        get { byteCounts.sent }
        set { byteCounts.sent = newValue }
    }
    /// Counts what is received and sent from now on; what is queued already is not of that.
    package func restartCounts(receivedByteCount: Int = 0) {
        byteCounts = (receivedByteCount, -queuedByteCount)
    }
    /// The stream keeps its delegate until it is closed.
    package var delegate: (any StreamDelegate)? {
        get { currentDelegate }
        set { currentDelegate = newValue }
    }

    public static let defaultDrainMark = 65_536

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
        self.drainMark = UInt32(clamping: drainMark)
        try self.descriptor?.watch(
            [.readable, .writable, .hangUp, .edgeTriggered], by: self, on: loop, isBatched: true)
    }

    /// A stream without a socket. On the loop's thread.
    package init(
        _ memory: MemoryPeer, peer: SocketAddress, on loop: Loop,
        drainMark: Int = defaultDrainMark
    ) {
        self.memory = memory
        self.peer = peer
        self.loop = loop
        self.drainMark = UInt32(clamping: drainMark)
        memory.stream = self
    }

    /// -1: closed, or no socket.
    var fd: Int32 { descriptor?.number ?? -1 }

    /// Our end of the connection; asks the kernel.
    public var localAddress: SocketAddress? { try? Socket.localAddress(fd) }
    /// The other end as the kernel knows it, whoever ``peer`` is; `nil` once it has gone.
    package var kernelPeer: SocketAddress? { try? Socket.peerAddress(fd) }

    public func ready(_ readiness: Readiness) {
        if flags.contains(.readingPaused) && !readiness.isDisjoint(with: .broken) {
            return fail(SystemError("recv", code: ECONNRESET))
        }
        if !readiness.isDisjoint(with: .hangUp) {
            flags.insert(.hungUp)
            if isEndKnown { currentDelegate?.streamEndIsKnown() }
        }
        // Before writing: that fails on a broken connection, whose last bytes can still be read.
        if !readiness.isDisjoint(with: [.readable, .hangUp]) {
            flags.insert(.readable)
            readTurn()
        }
        if readiness.contains(.writable), hasOutput || tls != nil { flush() }
        // After the peer's end nothing is read that could report the reset that followed.
        if phase.hasPeerEnded && !readiness.isDisjoint(with: .broken) {
            fail(SystemError("recv", code: ECONNRESET))
        }
    }
}
