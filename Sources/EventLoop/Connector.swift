import CLinux
import Glibc

/// A TCP connection being made to one address. Belongs to its loop's thread.
public final class Connector: EventSource {
    private let loop: Loop
    private let fd: Int32
    private let onEnd: (Result<Int32, SystemError>) -> Void
    private var isDone = false

    /// Begins to connect.
    ///
    /// - Parameter onEnd: called once, later: with the connected descriptor, which is the caller's
    ///   from then on, or with the reason why there is none. Not called after ``close()``.
    /// - Throws: what is known at once, such as an address family that this machine lacks.
    public init(
        to address: SocketAddress, on loop: Loop,
        onEnd: @escaping (Result<Int32, SystemError>) -> Void
    ) throws(SystemError) {
        self.loop = loop
        self.onEnd = onEnd
        fd = try Socket.open(address.family)
        do throws(SystemError) {
            let code = address.withSockaddr { connect(fd, $0, $1) }
            // connect(2): a non-blocking socket goes on and is writable when it is done.
            guard code == 0 || errno == EINPROGRESS else {
                throw SystemError("connect(\(address))")
            }
            try loop.add(fd, [.writable, .edgeTriggered], self)
        } catch {
            Glibc.close(fd)
            throw error
        }
    }

    public func ready(_ readiness: Readiness) {
        guard !isDone else { return }
        isDone = true
        loop.remove(fd)
        if let error = Socket.takeError(fd) {
            Glibc.close(fd)
            onEnd(.failure(SystemError("connect", code: error)))
        } else {
            Socket.disableNagle(fd)
            onEnd(.success(fd))
        }
    }

    /// Gives up.
    public func close() {
        guard !isDone else { return }
        isDone = true
        loop.remove(fd)
        Glibc.close(fd)
    }
}
