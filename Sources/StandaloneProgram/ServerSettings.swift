import EventLoop
import HandlerBuild
import Subprocesses
import WebSocketHost
import WebSocketHostPrograms

/// What the command line, the environment and the configuration file ask for.
struct ServerSettings: Sendable {
    var configuration = Configuration()
    /// Which files standalone.sh compiles in.
    var handlers = HandlerChoice()
    /// Programs in the handlers directory.
    var programs = ProgramSettings()
    /// `--max-programs`
    var programCountLimit = SubprocessLimit.ofProcess.count
    var mapFile: String?
    /// `-d`
    var documentRoot: String?
    /// `-x`
    var scriptPaths: [String] = []
    /// `--basic-auth`
    var asksForPassword = false
    /// `--basic-auth-credential`
    var credential: String?
    /// `--basic-auth-file`
    var passwordFile: String?
    /// pywebsocket3's.
    static let defaultCredential = "test:test"
    var pageWish = PageOptions.Wish.none
    var logFile: String?
    var log = LogSettings()
    var listen = ListenOptions()
    var tls = TLSOptions()
    var supervision = SupervisionOptions()
    var run = RunOptions()
    var listsRoutes = false
    var checks = false
    var showsHelp = false
    var showsVersion = false
    var printsConfiguration = false
    /// Warnings to be logged once there is a log.
    var notes: [String] = []

    func makeLog() throws(SystemError) -> Log {
        // pywebsocket3 writes to stderr if the name is empty.
        guard let logFile, !logFile.isEmpty else { return Log(log) }
        return try Log(log, path: logFile)
    }

    /// What `-l` does with a FIFO, which nobody may be reading.
    var namedPipeNote: String {
        "-l, --log-file: \(escaped(logFile ?? "")) is a named pipe (FIFO): lines wait for its "
            + "reader, up to --log-queue-size (\(log.queueByteLimit) bytes); more are "
            + "left out and counted"
    }

    /// The log for the start-up message. It goes to stderr, in the format of the log if the log
    /// goes there too.
    func announcer(_ log: Log) -> Log {
        (logFile ?? "").isEmpty ? log : Log(level: .info)
    }
}
