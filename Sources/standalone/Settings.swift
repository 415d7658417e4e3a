import EventLoop
import WebSocketHost

/// What the command line asks for.
struct Settings: Sendable {
    var configuration = Configuration()
    /// `-w`, for people to read: standalone.sh has compiled it in.
    var handlersDirectory: String?
    var mapFile: String?
    var logFile: String?
    var logLevel = LogLevel.info
    var isStrict = false
    var listsRoutes = false
    var showsHelp = false
    var showsVersion = false

    func makeLog() throws(SystemError) -> Log {
        guard let logFile else { return Log(level: logLevel) }
        return try Log(level: logLevel, path: logFile)
    }
}

/// A command line that cannot be followed; the description is one line for a person.
struct UsageError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
