import CommandLineOptions
import EventLoop
import Glibc
import HandlerBuild
import Processes
import Supervisor
import WebSocketHost

/// What `standalone` does, from the command line to the exit code.
public enum Program {
    static let version = Product.version

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

    /// What options ask for.
    enum Request {
        case serve(Invocation)
        /// Help was printed, or what is wrong.
        case ended(Int32)
    }

    /// - Parameter help: what `--help` prints.
    static func read(_ arguments: [String], help: String) -> Request {
        let invocation: Invocation
        do throws(UsageError) {
            invocation = try Options.read(arguments, environment: Environment.own()) {
                path throws(SystemError) in
                try TextFile.read(path, byteLimit: ConfigurationFile.byteLimit)
            }
            try SiteOptions.check(invocation.settings)
            try SupervisionOptions.check(invocation.settings)
        } catch {
            complain("\(error)\n\n\(Options.shortUsage)")
            return .ended(error.exitCode)
        }
        let settings = invocation.settings
        if settings.showsHelp { return .ended(say(help)) }
        if settings.showsVersion { return .ended(say("WebSocketHost \(version)")) }
        if settings.printsConfiguration { return .ended(say(Options.listing(invocation))) }
        return .serve(invocation)
    }

    public static func run(_ arguments: [String], _ registrations: [Registration]) -> Int32 {
        let invocation: Invocation
        let program = CommandLine.arguments.first ?? "server"
        switch read(arguments, help: Options.help(ofProgram: program)) {
        case .ended(let code): return code
        case .serve(let request): invocation = request
        }
        let settings = invocation.settings
        do throws(SystemError) {
            let log = try settings.makeLog()
            if let role = ProcessRole(Environment.own()) {
                return serve(settings, registrations, log, role)
            }
            if settings.listsRoutes || settings.checks { return list(settings, registrations, log) }
            if settings.supervision.isSupervised {
                return Supervision.run(invocation, arguments, log)
            }
            return serve(settings, registrations, log, nil)
        } catch {
            complain("-l, --log-file: \(error)")
            return ExitCode.failure
        }
    }

    /// `--list-routes`, `--check`
    private static func list(
        _ settings: Settings, _ registrations: [Registration], _ log: Log
    ) -> Int32 {
        for note in settings.notes { log(.warning, note) }
        // Without running any code of the handlers' files.
        guard let routes = routes(settings, registrations.map(\.withoutCode), log) else {
            return ExitCode.failure
        }
        _ = say(StartUp.listing(routes))
        if isRefused(settings, routes) { return ExitCode.brokenHandler }
        return settings.checks ? check(settings, routes, log) : ExitCode.success
    }

    /// `--check`: all that a start would complain of, but for the addresses.
    private static func check(_ settings: Settings, _ routes: Routes, _ log: Log) -> Int32 {
        var settings = settings
        do throws(SetUpError) {
            try settings.setUpSite(log)
        } catch {
            complain("\(error)")
            return ExitCode.failure
        }
        do throws(TLSFileError) {
            if let tls = settings.configuration.tls {
                _ = try TLSServer(tls) { log(.warning, escaped("\($0)", limit: 1_000)) }
            }
        } catch {
            return complain(of: error)
        }
        guard routes.listing.contains(where: { $0.failure != nil }) else { return ExitCode.success }
        complain(StartUp.broken(routes))
        return ExitCode.brokenHandler
    }

    /// The handlers, made, and the map file's aliases; `nil` if that cannot be read, which was
    /// said.
    private static func routes(
        _ settings: Settings, _ registrations: [Registration], _ log: Log,
        willMake: (Registration) -> Void = { _ in }
    ) -> Routes? {
        var routes = Routes(registrations, willMake: willMake)
        guard let path = settings.mapFile else { return routes }
        do throws(SystemError) {
            try MapFile.apply(path, to: &routes, log)
            return routes
        } catch {
            complain("-m, --websock-handlers-map-file: \(error)")
            return nil
        }
    }

    /// Whether `--strict` forbids to serve, which is said.
    private static func isRefused(_ settings: Settings, _ routes: Routes) -> Bool {
        guard settings.handlers.isStrict, routes.listing.contains(where: { $0.failure != nil })
        else {
            return false
        }
        complain("--strict: \(StartUp.broken(routes))")
        return true
    }

    /// - Parameter role: what a supervisor wants of this process; `nil`: there is none.
    private static func serve(
        _ settings: Settings, _ registrations: [Registration], _ log: Log, _ role: ProcessRole?
    ) -> Int32 {
        let worker: SupervisedServer?
        do throws(SystemError) {
            worker = try role.map { role throws(SystemError) in try SupervisedServer(role, log) }
        } catch {
            complain("cannot serve: \(error)")
            return ExitCode.failure
        }
        if worker?.announces != false {
            for note in settings.notes { log(.warning, note) }
        }
        let usable = worker?.usable(registrations) ?? registrations
        guard let routes = routes(settings, usable, log, willMake: { worker?.tell(making: $0) })
        else {
            return ExitCode.failure
        }
        worker?.tellMade()
        if isRefused(settings, routes) { return ExitCode.brokenHandler }
        var settings = settings
        settings.configuration.showsChanges = worker?.isWatched == true
        do throws(SetUpError) {
            try settings.setUpSite(log)
        } catch {
            complain("\(error)")
            return ExitCode.failure
        }
        return listen(settings, routes, log, worker)
    }

    private static func listen(
        _ settings: Settings, _ routes: Routes, _ log: Log, _ worker: SupervisedServer?
    ) -> Int32 {
        // Before the first thread, so that all of them leave these signals to the loop.
        let signals = worker == nil ? [SIGINT, SIGTERM, SIGUSR1] : SupervisedServer.signals
        Signals.block(signals)
        do throws(SystemError) {
            let server = try Server(settings.configuration, routes: routes, log: log)
            let end = EndOfServer(server, log)
            server.onSignals(signals) { signal in
                if signal == SIGUSR1 { return log.reopen() }
                worker?.tellLeaving()
                // A supervisor gets its own, and says when the second one has come.
                end.signal(signal == SIGINT ? "SIGINT" : "SIGTERM", mayForce: worker == nil)
            }
            let memoryRelease = MemoryRelease(on: server.loops)
            do throws(ListenError) {
                let addresses =
                    if let worker { try worker.start(server, routes, end) } else {
                        try server.start()
                    }
                // First: whoever reads that it listens may end it at once, and the supervisor has
                // to know.
                worker?.tellReady(routes)
                if worker?.announces != false {
                    settings.announcer(log).announce(StartUp.text(settings, routes, addresses))
                }
            } catch {
                if case .tls(let error) = error { return complain(of: error) }
                complain("cannot serve: \(error)")
                return ExitCode.cannotListen
            }
            memoryRelease.start()
            withExtendedLifetime(memoryRelease) { server.waitUntilStopped() }
            return end.wasForced ? ExitCode.failure : ExitCode.success
        } catch {
            complain("cannot serve: \(error)")
            return ExitCode.cannotListen
        }
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
    static func complain(_ text: String) {
        Log(level: .info).announce(text)
    }
}
