import CommandLineOptions
import EventLoop
import Processes
import WebSocketHost

/// The socket by which `standalone.sh publish` reaches this server.
struct RunOptions: Sendable {
    /// `--run-directory`; `nil`: the usual one.
    var directory: String?
    /// Without `--no-run-directory`.
    var isUsed = true

    static let all: [ServerOption] = [
        ServerOption(
            name: "run-directory", value: "DIR",
            help: "where the socket PORT.sock is, by which 'publish' and you alone reach the "
                + "server; default: $XDG_RUNTIME_DIR/websockethost, or websockethost-UID in the "
                + "temporary directory"
        ) { settings, text, option throws(UsageError) in
            if text.isEmpty { throw UsageError("\(option) needs a directory") }
            settings.run.directory = text
        },
        ServerOption(
            name: "no-run-directory", help: "no such socket: 'publish' does not reach the server"
        ) { settings, _, _ in settings.run.isUsed = false },
    ]

    /// Opens it for a server that has no supervisor.
    ///
    /// - Returns: has to be removed at the end.
    func open(for server: Server, on addresses: [SocketAddress], _ log: Log) -> RunSocket? {
        let socket = open(on: addresses, log)
        if let socket { server.answerAdmin(on: socket.socket) }
        return socket
    }

    /// Opens it. A server without one serves all the same.
    ///
    /// - Parameter addresses: where the server listens. The first port names the socket.
    /// - Returns: `nil` if it is not wanted, or not possible, which is logged.
    func open(on addresses: [SocketAddress], _ log: Log) -> RunSocket? {
        guard isUsed else { return nil }
        guard let port = addresses.lazy.map(\.port).first(where: { $0 != 0 }) else {
            log(
                .info,
                "'publish' does not reach this server: it finds servers by their port, and this "
                    + "one has none")
            return nil
        }
        let folder = directory ?? RunDirectory.ofServer(Environment.value)
        do throws(RunSocketError) {
            return try RunSocket(in: folder, port: port)
        } catch {
            log(
                .warning,
                "'publish' does not reach this server: \(escaped("\(error)", limit: 1_000)) "
                    + "(--run-directory)")
            return nil
        }
    }
}
