import Glibc

/// One build at a time in a checkout: SwiftPM's folder is shared by all handlers directories.
final class BuildLock {
    private let descriptor: Int32

    /// Waits for another build to end.
    init(
        _ checkout: Checkout, _ cancellation: Cancellation, _ output: BuildOutput
    ) throws(BuildError) {
        try FileSystem.makeFolder(checkout.handlersState)
        descriptor = open(checkout.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0, access(checkout.handlersState, W_OK) == 0 else {
            throw BuildError(
                "cannot write to \(checkout.path)/.build; the server is built there")
        }
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return }
        output.aside("waiting for another build in \(checkout.path)")
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard !cancellation.wait(for: 50) else { throw .cancelled }
        }
    }

    deinit { close(descriptor) }
}
