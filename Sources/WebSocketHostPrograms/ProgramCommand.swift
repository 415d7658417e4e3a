import EventLoop
import Glibc
import HTTPProtocol
import Processes
import Subprocesses
import WebSocketHost

/// A program that answers a path.
struct ProgramCommand: Sendable {
    /// Of its file.
    let path: String
    let arguments: [String]
    var settings: ProgramSettings

    func command(_ environment: ProgramEnvironment) -> ChildProcess.Command {
        ChildProcess.Command(
            path: path, arguments: [path] + arguments,
            environment: environment.variables(settings),
            folder: settings.folder ?? ChildProcess.Command.folder(of: path))
    }

    /// Before the handshake is answered, while there still is an answer to tell it with.
    func check(_ request: HandshakeRequest) throws(HandshakeRejection) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            request.log(.error, "\(path): \(SystemError("stat"))")
            throw HandshakeRejection(.notFound, body: "The program of this path is gone.")
        }
        guard status.st_mode & S_IFMT == S_IFREG, access(path, X_OK) == 0 else {
            request.log(.error, "\(path) cannot be executed (chmod +x)")
            throw HandshakeRejection(
                .internalServerError, body: "The program of this path cannot be run.")
        }
    }

    /// Takes a place for it among those that run at a time.
    func takePlace(_ request: HandshakeRequest) throws(HandshakeRejection) -> SubprocessLimit.Place
    {
        do throws(SubprocessError) {
            return try SubprocessLimit.ofProcess.takePlace()
        } catch {
            request.log(.warning, "503: \(error)")
            var fields = Fields()
            fields.add("Retry-After", "\(Self.retrySeconds)")
            throw HandshakeRejection(
                .serviceUnavailable, fields: fields, body: "Too many programs run.")
        }
    }

    /// What a client that found no place is asked to wait.
    private static let retrySeconds = 5
}
