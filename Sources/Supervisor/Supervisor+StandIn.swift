import EventLoop
import Logging
import Processes

// Who answers the owner of the server: the process that serves, and while there is none, as before
// its handlers are made and after a trap, the supervisor by a stand-in.
//
// | phase of the supervisor | a process answers | who accepts |
// |---|---|---|
// | any | from ready to its replacement, its trap or its end | that process |
// | `starting`, `running` | no | the stand-in |
// | `stopping` | no | the stand-in, but in the run directory: a new server may have that |

/// Answers the owner's questions while no server process does. On the supervisor's thread.
package protocol StandIn: AnyObject {
    /// Accepts from now on.
    ///
    /// - Parameter sockets: owned from now on.
    func begin(on sockets: [ListeningSocket])
    /// Accepts no more. Nothing, if it has not begun.
    func end()
}

extension Supervisor {
    /// Why no server process answers its owner, in a line; `nil`: one does.
    package var absence: String? {
        if generations.contains(where: \.answersOwner) { return nil }
        if isStopping { return "the server stops" }
        guard let current, current.phase == .starting else {
            return "the server process has ended, and another one starts"
        }
        return current.making.map { "the server starts: the handler of \($0) is being made" }
            ?? "the server process starts"
    }

    /// Gives a connection to the process that answers: it may have become ready a moment ago.
    ///
    /// - Parameter descriptor: it stays the caller's.
    /// - Returns: false if there is no such process.
    package func passOn(_ descriptor: Int32) -> Bool {
        for generation in generations where generation.phase == .starting {
            generation.readReports()
        }
        let generation = generations.last { $0.answersOwner }
        return generation?.send(.answer, descriptor: descriptor) ?? false
    }

    /// At the end: the owner has no answer any more.
    func leaveOwner() {
        guard !hasEnded else { return }
        hasEnded = true
        standIn.end()
        for socket in plan.adminSockets { socket.end() }
    }

    func answersNoMore(_ generation: Generation) {
        guard generation.answersOwner else { return }
        generation.answersOwner = false
        chooseWhoAnswers()
    }

    /// After each change of ``Generation/answersOwner`` and of the phase.
    func chooseWhoAnswers() {
        guard absence != nil, !hasEnded else { return standIn.end() }
        standIn.end()
        let runSocket = isStopping ? nil : plan.runSocket?.socket
        let sockets = [runSocket].compactMap(\.self) + plan.adminSockets
        standIn.begin(
            on: sockets.compactMap { socket in
                do throws(SystemError) {
                    return try socket.duplicate()
                } catch {
                    log(.error, "nobody answers on \(socket.address): \(error)")
                    return nil
                }
            })
    }
}

/// Where no owner can ask.
final class NoStandIn: StandIn {
    func begin(on sockets: [ListeningSocket]) { for socket in sockets { socket.close() } }
    func end() {}
}
