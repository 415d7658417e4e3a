import CLinux
import EventLoop
import Glibc

/// Asks a build to stop, from any thread.
///
/// `@unchecked Sendable`: the descriptor is set once, and system calls on it may come from any
/// thread.
package final class Cancellation: @unchecked Sendable {
    /// Readable from the moment on at which the build has to stop.
    let descriptor: Int32

    package init() throws(SystemError) {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        guard descriptor >= 0 else { throw SystemError("eventfd") }
    }

    /// - Parameter descriptor: becomes readable when the build has to stop, such as a `signalfd`;
    ///   closed with this object.
    package init(adopting descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    package func cancel() { _ = eventfd_write(descriptor, 1) }

    var isCancelled: Bool { wait(for: 0) }

    /// - Returns: whether the build has to stop.
    func wait(for milliseconds: Int32) -> Bool {
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return Glibc.poll(&poll, 1, milliseconds) > 0
    }
}
