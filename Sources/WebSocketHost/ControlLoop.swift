import EventLoop
import Processes

/// The loop of a server that runs no handler, so that none can block it. Signals and the
/// supervisor's orders come here. It watches the workers' loops, and accepts while the first of
/// them is blocked.
///
/// `@unchecked Sendable`: everything mutable is set before the loop begins, or touched on its
/// thread only.
final class ControlLoop: @unchecked Sendable {
    let loop: Loop
    var signals: Signals?
    var monitor: LoopMonitor?
    /// Makes a worker for ``Server/startSpare()``. Set before the loop begins.
    var makeSpare: (() throws(SystemError) -> Worker)?

    /// Duplicates of the sockets that the first worker accepts from.
    var sockets: [ListeningSocket] = []
    /// Not empty while this loop accepts.
    var listeners: [Listener] = []
    /// When the first worker was seen blocked last.
    var lastStall = MonotonicTime(nanoseconds: 0)
    /// Whether the log says already that no loop is left for new connections.
    var isShortageOfLoopsLogged = false

    /// Those that have something open still, once the server leaves; `nil` before.
    var undrained: [Worker]?
    /// From then on a blocked worker is not waited for; `nil`: it always is.
    var giveUpTime: MonotonicTime?

    init() throws(SystemError) { loop = try Loop() }

    /// Stops accepting; ``sockets`` stay for the next time.
    func closeListeners() {
        for listener in listeners { listener.close() }
        listeners = []
    }

    /// Lets go of all that keeps the server, at its end.
    func close() {
        closeListeners()
        for socket in sockets { socket.close() }
        sockets = []
        monitor?.stop()
        monitor = nil
        signals?.close()
        signals = nil
        makeSpare = nil
    }
}
