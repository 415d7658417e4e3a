import EventLoop
import Processes
import Synchronization

/// The loop of a server that runs no handler, so that none can block it. Signals and the
/// supervisor's orders come here, and what the server's owner asks. It watches the workers' loops,
/// and accepts while the first of them is blocked.
///
/// `@unchecked Sendable`: everything mutable is set before the loop begins, or touched on its
/// thread only; `sockets` has a mutex.
final class ControlLoop: @unchecked Sendable {
    let loop: Loop
    var signals: Signals?
    var monitor: LoopMonitor?
    /// Those that answer the owner; one for each socket.
    var admins: [AdminListener] = []
    /// Set before the loop begins.
    var identity = ServerIdentity(began: .current())
    var others: (any OtherProcesses)?
    /// Makes a worker for ``Server/startSpare()``. Set before the loop begins.
    var makeSpare: ((_ lane: Int) throws(SystemError) -> Worker)?
    /// How long loops let something wait.
    var probes = LoopProbes()

    /// Duplicates of the sockets that the first worker accepts from. For any thread.
    private let sockets = Mutex<[ListeningSocket]>([])
    /// Not empty while this loop accepts.
    var listeners: [Listener] = []
    /// When the first worker was seen blocked last.
    var lastStall = MonotonicTime(nanoseconds: 0)
    /// Whether the log says already that no loop is left for new connections.
    var isShortageOfLoopsLogged = false

    /// Has the workers but the first leave, once that has closed its listeners, or is blocked.
    var waitingLeaves: [() -> Void] = []
    /// Those that have something open still, once the server leaves; `nil` before.
    var undrained: [Worker]?
    /// From then on a blocked worker is not waited for; `nil`: it always is.
    var giveUpTime: MonotonicTime?
    /// From the end of the last connection on: until when hooks without a connection are waited
    /// for.
    var hookDeadline: MonotonicTime?

    init() throws(SystemError) { loop = try Loop() }

    /// Keeps duplicates of the sockets, for ``listen(gate:onShortage:onAccept:)``.
    func keep(_ originals: [ListeningSocket]) throws(SystemError) {
        for socket in originals {
            let duplicate = try socket.duplicate()
            sockets.withLock { $0.append(duplicate) }
        }
    }

    /// Accepts, too, until ``closeListeners()``.
    func listen(
        gate: AcceptGate, onShortage: @escaping (SystemError) -> Void,
        onAccept: @escaping (AcceptedConnection) -> Void
    ) {
        guard listeners.isEmpty else { return }
        let kept = sockets.withLock { sockets in
            sockets.map { socket in
                Result { () throws(SystemError) in try socket.duplicate() }
            }
        }
        for socket in kept {
            do throws(SystemError) {
                listeners.append(
                    try Listener(
                        try socket.get(), on: loop, gate: gate, onShortage: onShortage,
                        onAccept: onAccept))
            } catch {
                onShortage(error)
            }
        }
    }

    /// Stops accepting; the duplicates stay for the next time.
    func closeListeners() {
        for listener in listeners { listener.close() }
        listeners = []
    }

    /// Closes the duplicates. From any thread.
    func closeSockets() {
        sockets.withLock { sockets in
            for socket in sockets { socket.close() }
            sockets = []
        }
    }

    /// Lets go of all that keeps the server, at its end.
    func close() {
        closeListeners()
        closeSockets()
        monitor?.stop()
        monitor = nil
        signals?.close()
        signals = nil
        for admin in admins { admin.close() }
        admins = []
        others = nil
        makeSpare = nil
        waitingLeaves = []
    }
}
