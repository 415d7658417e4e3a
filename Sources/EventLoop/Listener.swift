import CLinux
import Glibc

/// A listening socket on a loop.
public final class Listener: EventSource {
    private let loop: Loop
    private let fd: Int32
    private var retryTimer: Timer?
    private var isClosed = false
    public let address: SocketAddress

    /// Gets each accepted descriptor, and owns it from then on.
    private let onAccept: (Int32, SocketAddress) -> Void
    /// Told when the system has no room for another connection, at most once per pause.
    private let onShortage: (SystemError) -> Void

    /// Connections taken per turn, so that those already open get theirs.
    private static let acceptLimitPerTurn = 128
    /// How long to leave the queue alone when there are no descriptors or no memory: long enough
    /// not to spin, short enough for a client to hardly notice.
    static let shortagePause: Duration = .milliseconds(100)

    /// - Parameters:
    ///   - socket: owned from now on, and closed if this throws.
    public init(
        _ socket: ListeningSocket, on loop: Loop,
        onShortage: @escaping (SystemError) -> Void = { _ in },
        onAccept: @escaping (Int32, SocketAddress) -> Void
    ) throws(SystemError) {
        self.loop = loop
        fd = socket.fd
        address = socket.address
        self.onAccept = onAccept
        self.onShortage = onShortage
        do {
            try loop.add(fd, .readable, self)
        } catch {
            Glibc.close(fd)
            throw error
        }
    }

    public func ready(_ readiness: Readiness) {
        for _ in 0..<Self.acceptLimitPerTurn where !isClosed {
            do throws(SystemError) {
                let (accepted, peer) = try Socket.accept(fd)
                onAccept(accepted, peer)
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
        try? loop.modify(fd, [])
        let timer =
            retryTimer
            ?? loop.makeTimer { [unowned self] in
                if !isClosed { try? loop.modify(fd, .readable) }
            }
        retryTimer = timer
        loop.schedule(timer, after: Self.shortagePause)
        onShortage(error)
    }

    /// Refuses new connections from now on.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        if let retryTimer { loop.cancel(retryTimer) }
        loop.remove(fd)
        Glibc.close(fd)
    }
}

/// A bound socket that is not yet watched by a loop.
public struct ListeningSocket: Sendable {
    let fd: Int32
    /// With the port that the kernel chose where 0 was asked for.
    public let address: SocketAddress

    /// This end of what it accepts; `nil` if it listens on every address of the machine, so that
    /// only the kernel knows.
    public var addressOfAccepted: SocketAddress? { address.isUnspecified ? nil : address }

    /// - Parameter backlog: connections that may wait to be accepted; the kernel caps it.
    public init(at address: SocketAddress, backlog: Int) throws(SystemError) {
        fd = try Socket.listen(at: address, backlog: Int32(clamping: backlog))
        do {
            self.address = try Socket.localAddress(fd)
        } catch {
            Glibc.close(fd)
            throw error
        }
    }

    /// A descriptor that listens already, from another process.
    public init(adopting fd: Int32) throws(SystemError) {
        self.fd = fd
        address = try Socket.localAddress(fd)
        _ = fcntl(fd, F_SETFD, FD_CLOEXEC)
    }

    /// To give it to another process: ``ProcessLaunch/descriptors``.
    public var descriptor: Int32 { fd }

    /// For a socket that no ``Listener`` took over.
    public func close() { Glibc.close(fd) }
}
