import Glibc
import Synchronization

/// Whether listeners accept. One may be shared by several of them, and closed from any thread.
public final class AcceptGate: Sendable {
    private let isClosed = Atomic<Bool>(false)

    public init() {}

    public var isOpen: Bool { !isClosed.load(ordering: .relaxed) }

    /// Nothing is accepted from now on; the listeners are closed by their own threads.
    public func close() { isClosed.store(true, ordering: .relaxed) }
}

/// A listening socket on a loop.
public final class Listener: EventSource {
    private let loop: Loop
    private let gate: AcceptGate
    private var descriptor: FileDescriptor?
    private var retryTimer: Timer?
    public let address: SocketAddress
    private let addressOfAccepted: SocketAddress?
    private let listenerIndex: Int

    /// Gets each accepted connection.
    private let onAccept: (AcceptedConnection) -> Void
    /// Called when the system has no descriptors or memory for another connection, at most once per
    /// pause.
    private let onShortage: (SystemError) -> Void

    /// Connections taken per turn, so that those already open get theirs.
    private static let acceptLimitPerTurn = 128
    /// How long to leave the queue alone when there are no descriptors or no memory: long enough
    /// not to spin, short enough for a client to hardly notice.
    static let shortagePause: Duration = .milliseconds(100)

    /// - Parameter socket: owned from now on, and closed if this throws.
    public init(
        _ socket: ListeningSocket, on loop: Loop, gate: AcceptGate = AcceptGate(),
        onShortage: @escaping (SystemError) -> Void = { _ in },
        onAccept: @escaping (AcceptedConnection) -> Void
    ) throws(SystemError) {
        self.loop = loop
        self.gate = gate
        address = socket.address
        addressOfAccepted = socket.addressOfAccepted
        listenerIndex = socket.listenerIndex
        self.onAccept = onAccept
        self.onShortage = onShortage
        descriptor = FileDescriptor(socket.descriptor)
        try descriptor?.watch(.readable, by: self, on: loop)
    }

    public func ready(_ readiness: Readiness) { loop.afterEvents { [self] in accept() } }

    private func accept() {
        for _ in 0..<Self.acceptLimitPerTurn {
            guard let fd = descriptor?.number, gate.isOpen else { return }
            do throws(SystemError) {
                onAccept(
                    try Socket.accept(
                        fd, localAddress: addressOfAccepted, listenerIndex: listenerIndex))
            } catch {
                switch error.code {
                case EAGAIN: return
                case ECONNABORTED, EPROTO, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ENONET:
                    continue  // the client left before it was accepted: accept(2)
                default: return pause(error)  // no descriptors or memory, or something that lasts
                }
            }
        }
    }

    private func pause(_ error: SystemError) {
        try? descriptor?.watch([])
        let timer =
            retryTimer ?? loop.makeTimer { [unowned self] in try? descriptor?.watch(.readable) }
        retryTimer = timer
        loop.schedule(timer, after: Self.shortagePause)
        onShortage(error)
    }

    /// Refuses new connections from now on.
    public func close() {
        if let retryTimer { loop.cancel(retryTimer) }
        descriptor?.unwatch()  // there may be a duplicate, here or in another process
        descriptor = nil
    }
}
