import EventLoop
import Glibc
import Processes
import Synchronization
import WebSocketClient
import WebSocketProtocol

/// SIGINT (Ctrl-C) and SIGTERM: the first signal closes the connection with 1001 and then ends the
/// program. A second wish, or one before there is a connection, ends it at once.
final class ClosingSignals: Sendable {
    static let signals = [SIGINT, SIGTERM]

    private let state = Mutex(State())

    private struct State {
        var open: (socket: WebSocket, output: Output)?
        var closing: Task<Void, Never>?
        var signals = StopSignals()
    }

    /// Whether a signal came. From then on nothing else is printed.
    var hasCome: Bool { state.withLock { $0.closing != nil } }

    /// Waits for the signals, which must have been blocked with `Signals.block(_:)`.
    func watch() -> Never {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in Self.signals { sigaddset(&set, signal) }
        while true {
            var number: Int32 = 0
            if sigwait(&set, &number) == 0 { interrupt(number) }
        }
    }

    /// Registers an open connection, which has to be closed before the program ends.
    ///
    /// - Parameter output: for the server's Close.
    func protect(_ socket: WebSocket, _ output: Output) {
        state.withLock { $0.open = (socket, output) }
    }

    /// Returns at once if no signal came; else the program ends during this call.
    func waitForExit() async { await state.withLock { $0.closing }?.value }

    private func interrupt(_ number: Int32) {
        // As shells count: 130 for SIGINT, 143 for SIGTERM.
        let code = 128 + number
        state.withLock { state in
            let meaning = state.signals.meaning(ofSignalAt: .current())
            guard let (socket, output) = state.open, meaning != .again else { exit(code) }
            guard state.closing == nil else { return }
            state.closing = Task {
                if let close = try? await socket.close(.goingAway) { output.closed(close) }
                exit(code)
            }
        }
    }
}
