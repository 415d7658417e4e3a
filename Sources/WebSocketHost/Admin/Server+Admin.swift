import EventLoop
import Synchronization

// What the owner of a server asks it, on the control loop.

extension Server {
    /// Opens ``Configuration/adminListener``, for ``answerOwner(on:)`` of this or another process.
    package static func adminSockets(
        _ configuration: Configuration
    ) throws(ListenError) -> [ListeningSocket] {
        guard let listener = configuration.adminListener else { return [] }
        return try listener.open(backlog: configuration.backlog)
    }

    /// Answers on these until the server's end. After ``start()``.
    ///
    /// - Parameter sockets: owned from now on.
    package func answerOwner(on sockets: [ListeningSocket]) {
        state.withLock { $0.adminAddresses = sockets.map(\.address) }
        for socket in sockets { answerAdmin(on: socket, staysUntilEnd: true) }
    }

    /// Where ``Configuration/adminListener`` answers, with the port that the kernel chose for 0;
    /// empty before ``start()``.
    public var adminAddresses: [SocketAddress] { state.withLock(\.adminAddresses) }

    /// Answers what the owner of this server asks on a socket that is not for the public, such as
    /// to publish something. After ``start()``.
    ///
    /// - Parameters:
    ///   - socket: owned from now on.
    ///   - staysUntilEnd: whether it also answers while the server drains; never once another
    ///     process has taken this one's place.
    package func answerAdmin(on socket: ListeningSocket, staysUntilEnd: Bool = false) {
        control.loop.submit { [self] in
            guard control.undrained == nil else { return socket.end() }
            do throws(SystemError) {
                control.admins.append(
                    try AdminListener(
                        on: socket, loop: control.loop, configuration, log: log,
                        responders: AdminListener.responders(for: self),
                        staysUntilEnd: staysUntilEnd, onShortage: logShortage))
            } catch {
                log(.error, "cannot accept on \(socket.address): \(error)")
            }
        }
    }

    /// Makes it one of several processes. Before ``start()``.
    ///
    /// - Parameter others: the other ones; `nil`: there are none.
    package func identify(as identity: ServerIdentity, beside others: (any OtherProcesses)? = nil) {
        control.identity = identity
        control.others = others
    }

    var identity: ServerIdentity { control.identity }

    /// Answers on a connection that another process accepted on such a socket.
    package func answerAdmin(_ connection: AcceptedConnection) {
        control.loop.submit { [control] in control.admins.first?.adopt(connection) }
    }

    /// Leaves all such sockets to another process, although this one may go on for a while.
    package func leaveAdmin() {
        control.loop.submit { [control] in control.leaveAdmin() }
    }
}

extension ControlLoop {
    /// - Parameter isEnd: whether no other process answers.
    func leaveAdmin(atEnd isEnd: Bool = false) {
        for admin in admins where !(isEnd && admin.staysUntilEnd) { admin.leave() }
        admins.removeAll { !(isEnd && $0.staysUntilEnd) }
    }
}
