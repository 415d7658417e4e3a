import CommandLineOptions
import EventLoop
import Glibc
import WebSocketHost

/// What `standalone` does, from the command line to the exit code.
package enum Program {
    static let version = "0.1.0"

    /// How the program ends; the README has the same table.
    enum ExitCode {
        static let success: Int32 = 0
        /// Something it needs is missing or broken, or it was forced to stop.
        static let failure: Int32 = 1
        static let usage: Int32 = 2
        static let cannotListen: Int32 = 3
        /// `--strict` or `--check`, and a handler does not compile.
        static let brokenHandler: Int32 = 4
    }

    package static func run(_ arguments: [String], _ registrations: [Registration]) -> Int32 {
        let invocation: Invocation
        do throws(UsageError) {
            invocation = try Options.read(arguments, environment: Environment.own()) {
                path throws(SystemError) in
                try TextFile.read(path, byteLimit: ConfigurationFile.byteLimit)
            }
            try SiteOptions.check(invocation.settings)
        } catch {
            complain("\(error)\n\n\(Options.shortUsage)")
            return error.exitCode
        }
        let settings = invocation.settings
        if settings.showsHelp { return say(Options.help) }
        if settings.showsVersion { return say("WebSocketHost \(version)") }
        if settings.printsConfiguration { return say(Options.listing(invocation)) }
        do throws(SystemError) {
            let log = try settings.makeLog()
            for note in settings.notes { log(.warning, note) }
            return serve(settings, registrations, log)
        } catch {
            complain("-l, --log-file: \(error)")
            return ExitCode.failure
        }
    }

    private static func serve(
        _ settings: Settings, _ registrations: [Registration], _ log: Log
    ) -> Int32 {
        var routes = Routes(registrations)
        if let path = settings.mapFile {
            do throws(SystemError) {
                try MapFile.apply(path, to: &routes, log)
            } catch {
                complain("-m, --websock-handlers-map-file: \(error)")
                return ExitCode.failure
            }
        }
        let isBroken = registrations.contains { $0.failure != nil }
        if settings.listsRoutes || settings.checks { _ = say(StartUp.listing(routes)) }
        if settings.isStrict && isBroken {
            complain("--strict: \(StartUp.broken(routes))")
            return ExitCode.brokenHandler
        }
        if settings.listsRoutes { return ExitCode.success }
        var settings = settings
        do throws(SetUpError) {
            try settings.setUpSite(log)
        } catch {
            complain("\(error)")
            return ExitCode.failure
        }
        if settings.checks {
            if isBroken { complain(StartUp.broken(routes)) }
            return isBroken ? ExitCode.brokenHandler : ExitCode.success
        }
        return listen(settings, routes, log)
    }

    private static func listen(_ settings: Settings, _ routes: Routes, _ log: Log) -> Int32 {
        // Before the first thread, so that all of them leave these signals to the loop.
        Signals.block([SIGINT, SIGTERM, SIGUSR1])
        do throws(SystemError) {
            let server = try Server(settings.configuration, routes: routes, log: log)
            let wasForced = followSignals(server, log)
            do throws(ListenError) {
                let addresses = try server.start()
                settings.announcer(log).announce(StartUp.text(settings, routes, addresses))
            } catch {
                if case .tls(let error) = error { return complain(of: error) }
                complain("cannot serve: \(error)")
                return ExitCode.cannotListen
            }
            server.waitUntilStopped()
            return wasForced.value ? ExitCode.failure : ExitCode.success
        } catch {
            complain("cannot serve: \(error)")
            return ExitCode.cannotListen
        }
    }

    /// The first signal to stop drains, the second one forces. SIGUSR1 opens the log file anew.
    private static func followSignals(_ server: Server, _ log: Log) -> Flag {
        let (isStopping, wasForced) = (Flag(), Flag())
        server.onSignals([SIGINT, SIGTERM, SIGUSR1]) { signal in
            if signal == SIGUSR1 { return log.reopen() }
            let name = signal == SIGINT ? "SIGINT" : "SIGTERM"
            if isStopping.value {
                log(.warning, "\(name) again: all connections are dropped")
                wasForced.value = true
                server.forceStop()
            } else {
                isStopping.value = true
                let count = server.openConnectionCount
                log(.info, "\(name): closing \(count) connections; once more drops them")
                server.stop()
            }
        }
        return wasForced
    }

    /// A file of `-c`, `-k` or `--tls-client-ca` that cannot be used.
    private static func complain(of error: TLSFileError) -> Int32 {
        complain("\(TLSOptions.option(for: error.content)): \(escaped("\(error)", limit: 1_000))")
        return ExitCode.failure
    }

    /// To standard output, where a pipe or a pager may want it.
    private static func say(_ text: String) -> Int32 {
        print(text)
        return ExitCode.success
    }

    /// To standard error.
    private static func complain(_ text: String) {
        Log(level: .info).announce(text)
    }
}
