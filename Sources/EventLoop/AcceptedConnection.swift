import Glibc

/// A connection that a ``Listener`` accepted, on its way to the loop that serves it. Closed if no
/// stream is made of it.
///
/// Whatever has to happen before TLS begins happens to this, before
/// ``makeStream(on:tls:drainMark:)``: ``Preamble`` reads what stands in front.
///
/// `@unchecked Sendable`: it belongs to one thread at a time, which hands it over to the next.
public final class AcceptedConnection: @unchecked Sendable {
    var descriptor: FileDescriptor?
    /// The other end.
    public var peer: SocketAddress
    /// This end; `nil` where only the kernel knows: ``Stream/localAddress`` asks it.
    public var localAddress: SocketAddress?
    /// ``ListeningSocket/listenerIndex`` of where it was accepted.
    public let listenerIndex: Int

    init(
        _ descriptor: consuming FileDescriptor, peer: SocketAddress, localAddress: SocketAddress?,
        listenerIndex: Int
    ) {
        self.descriptor = consume descriptor
        self.peer = peer
        self.localAddress = localAddress
        self.listenerIndex = listenerIndex
    }

    /// One that another process accepted. It never waits.
    package convenience init(
        adopting descriptor: consuming FileDescriptor
    ) throws(SystemError) {
        let peer = try Socket.peerAddress(descriptor.number)
        let localAddress = try Socket.localAddress(descriptor.number)
        self.init(descriptor, peer: peer, localAddress: localAddress, listenerIndex: 0)
    }

    /// To give it to another process, which gets a duplicate; `nil` once a stream was made of it.
    package var descriptorNumber: Int32? { descriptor?.number }

    /// Makes the stream, once. On the loop's thread.
    ///
    /// - Parameters:
    ///   - tls: what the peer's handshake is answered with; `nil`: without TLS.
    ///   - drainMark: the queue length in bytes up to which writers may go on.
    public func makeStream(
        on loop: Loop, tls: TLSServer?, drainMark: Int = Stream.defaultDrainMark
    ) throws(SystemError) -> Stream {
        guard let descriptor = descriptor.take() else { throw SystemError("accept", code: EBADF) }
        let stream = try Stream(descriptor, peer: peer, on: loop, drainMark: drainMark)
        if let tls { try stream.startTLS(tls) }
        return stream
    }
}
