import Processes
import Subprocesses
import WebSocketHost
import WebSocketProtocol

extension WebSocketHandler {
    /// A handler that runs a program for each connection: what the client sends is its standard
    /// input, what it writes to its standard output goes to the client, and its standard error into
    /// the log. As websocketd does.
    ///
    /// ```swift
    /// routes.add("/count", .program("/usr/local/bin/count"))
    /// ```
    ///
    /// The end of its output closes the connection: with 1000 if its exit code is 0, or it had to
    /// be ended; with 1011, and what happened as the reason, if not. When the client has left, its
    /// input ends, and it is ended as
    /// ``withSubprocess(_:_:environment:folder:settings:onErrorLine:_:)`` says.
    ///
    /// A handshake gets 503 while ``SubprocessLimit/ofProcess`` is used up, 404 if the file is
    /// gone, 500 if it may not be executed.
    ///
    /// - Parameters:
    ///   - path: of the program's file, absolute.
    ///   - arguments: without the program's name.
    ///   - allowedOrigins: `nil`: ``Configuration/allowedOrigins``.
    public static func program(
        _ path: String, _ arguments: [String] = [],
        settings: ProgramSettings = ProgramSettings(), allowedOrigins: AllowedOrigins? = nil
    ) -> WebSocketHandler {
        let program = ProgramCommand(path: path, arguments: arguments, settings: settings)
        return WebSocketHandler(
            allowedOrigins: allowedOrigins,
            doExtraHandshake: { request in
                try program.check(request)
                return try program.takePlace(request)
            },
            transferData: { socket, place in
                try await program.serve(socket, place)
            })
    }
}

extension ProgramCommand {
    /// Runs the program for a connection, and closes that.
    func serve(_ socket: WebSocket, _ place: SubprocessLimit.Place) async throws {
        var limits = settings.subprocess
        limits.lineByteLimit = socket.settings.messageByteLimit
        let environment = ProgramEnvironment(socket, route: socket.request.scriptName)
        let ending: (end: ProgramConnection.End, status: ExitStatus?)
        do {
            ending = try await withSubprocess(
                command(environment), place, limits,
                onErrorLine: { socket.log(.warning, "stderr: \($0)") }
            ) { process in
                let end = await ProgramConnection(
                    socket: socket, framing: settings.framing, process: process
                ).run()
                guard case .output = end else { return (end, nil) }
                // Its output ends a moment before it does.
                return (end, try await process.exitStatus(within: limits.stopTimeout))
            }
        } catch SubprocessError.cancelled {
            return
        } catch let error as SubprocessError {
            socket.log(.error, "\(error)")
            return try await close(socket, because: "The program cannot be run.")
        }
        switch ending {
        case (.client, _): return
        case (.failure(let reason), _):
            socket.log(.error, "ended: \(reason)")
            try await close(socket, because: reason)
        case (.output, let status?) where !status.isSuccess:
            socket.log(.info, "ended with \(status)")
            try await close(socket, because: "\(status)")
        case (.output, _): try await socket.close(.normalClosure)
        }
    }

    private func close(_ socket: WebSocket, because reason: String) async throws {
        let isShort = reason.utf8.count <= Close.reasonByteLimit
        try await socket.close(.internalError, reason: isShort ? reason : "")
    }
}
