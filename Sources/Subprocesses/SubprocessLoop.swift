import EventLoop

/// For programs of tasks that run on no event loop.
enum SubprocessLoop {
    /// Started with the first of them, and there until the process ends; `nil`: the system has no
    /// descriptor or thread for it.
    static let shared: Loop? = {
        guard let loop = try? Loop(), (try? loop.start()) != nil else { return nil }
        Loop.ignoreBrokenPipes()
        return loop
    }()
}
