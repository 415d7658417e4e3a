import CommandLineOptions
import EventLoop
import WebSocketHost

extension Program {
    /// Reads what was given, and checks it.
    ///
    /// - Parameter passed: where it listens beside what options say.
    static func readOptions(
        _ arguments: [String], passed: [ListenerSettings] = []
    ) throws(UsageError) -> Invocation {
        let invocation = try ServerOptions.read(
            arguments, environment: Environment.own(), passed: passed
        ) { path throws(SystemError) in
            try TextFile.read(path, byteLimit: ConfigurationFile.byteLimit)
        }
        try PageOptions.check(invocation.settings)
        try SiteOptions.check(invocation.settings)
        try SupervisionOptions.check(invocation.settings)
        try ServerOptions.checkAdmin(invocation.settings)
        return invocation
    }

    /// - Parameters:
    ///   - help: what `--help` prints.
    ///   - passed: where it listens beside what options say.
    static func read(
        _ arguments: [String], help: String, passed: [ListenerSettings] = []
    ) -> Request {
        var invocation: Invocation
        do throws(UsageError) {
            invocation = try readOptions(arguments, passed: passed)
        } catch {
            printError("\(error)\n\n\(ServerOptions.shortUsage)")
            return .ended(error.exitCode)
        }
        PageOptions.apply(
            to: &invocation.settings,
            isFromScript: Environment.value(Environment.checkout) != nil)
        let settings = invocation.settings
        if settings.showsHelp { return .ended(printText(help)) }
        if settings.showsVersion { return .ended(printText("WebSocketHost \(version)")) }
        if settings.printsConfiguration {
            return .ended(printText(ServerOptions.listing(invocation)))
        }
        return .serve(invocation)
    }
}
