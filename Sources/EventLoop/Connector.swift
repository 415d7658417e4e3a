import Glibc

/// A connection being made to one address. Belongs to its loop's thread.
public final class Connector: EventSource {
    /// `nil`: it is made, or given up.
    private var descriptor: FileDescriptor?
    private let onEnd: (consuming Result<FileDescriptor, SystemError>) -> Void

    /// Begins to connect.
    ///
    /// - Parameter onEnd: called once, later: with the connected descriptor, or with the reason why
    ///   there is none. Not called after ``close()``.
    /// - Throws: what is known at once, such as an address family that this machine lacks.
    public init(
        to address: SocketAddress, on loop: Loop,
        onEnd: @escaping (consuming Result<FileDescriptor, SystemError>) -> Void
    ) throws(SystemError) {
        self.onEnd = onEnd
        let socket = try Socket.open(address.family)
        let code = address.withSockaddr { connect(socket.number, $0, $1) }
        // connect(2): a non-blocking socket goes on and is writable when it is done.
        guard code == 0 || errno == EINPROGRESS else { throw SystemError("connect(\(address))") }
        if address.family != .unix { Socket.disableNagle(socket.number) }
        descriptor = consume socket
        try descriptor?.watch([.writable, .edgeTriggered], by: self, on: loop)
    }

    public func ready(_ readiness: Readiness) {
        guard var socket = descriptor.take() else { return }
        socket.unwatch()
        if let error = Socket.takeError(socket.number) {
            onEnd(.failure(SystemError("connect", code: error)))
        } else {
            onEnd(.success(socket))
        }
    }

    /// Gives up.
    public func close() { descriptor = nil }
}
