import EventLoop
import Logging
import Supervisor
import WebSocketHost

/// Answers the server's owner in the supervisor, while no server process does: probes learn why,
/// and whoever asks for anything else shall ask again.
///
/// `@unchecked Sendable`: used on the supervisor's thread only.
final class AdminStandIn: StandIn, @unchecked Sendable {
    /// It owns this.
    private unowned let supervisor: Supervisor
    private let configuration: Configuration
    private var listeners: [AdminListener] = []

    init(_ supervisor: Supervisor, _ configuration: Configuration) {
        self.supervisor = supervisor
        self.configuration = configuration
    }

    func begin(on sockets: [ListeningSocket]) {
        for socket in sockets {
            do throws(SystemError) {
                let listener = try AdminListener(
                    on: socket, loop: supervisor.loop, configuration, log: supervisor.log,
                    responders: AdminListener.standInResponders(health, identity),
                    passOn: { [unowned self] connection in
                        connection.descriptorNumber.map { supervisor.passOn($0) } ?? false
                    })
                listener.answerOnce()
                listeners.append(listener)
            } catch {
                supervisor.log(.error, "nobody answers on \(socket.address): \(error)")
            }
        }
    }

    func end() {
        for listener in listeners { listener.leave() }
        listeners = []
    }

    private var identity: ServerIdentity {
        ServerIdentity(version: Program.version, processNumber: 0, began: supervisor.began)
    }

    /// No handler runs here, so every loop turns.
    private var health: Health {
        Health { [unowned self] in
            supervisor.absence.map { .unready($0) } ?? .ready
        }
    }
}
