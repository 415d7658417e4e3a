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

    /// The exit codes; the README has the same table.
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

    public static func run(_ arguments: [String], _ registrations: [Registration]) -> Int32 {
        StandardDescriptors.openClosed()
        let inheritance = Inheritance()
        let invocation: Invocation
        let program = CommandLine.arguments.first ?? "server"
        switch read(
            arguments, help: ServerOptions.help(ofProgram: program),
            passed: inheritance.listeners)
        {
        case .ended(let code): return code
        case .serve(let request): invocation = request
        }
        let settings = invocation.settings
        if let error = inheritance.error, !settings.listsRoutes && !settings.checks {
            printError("cannot serve: \(error)")
            return ExitCode.cannotListen
        }
        do throws(SystemError) {
            if !settings.listsRoutes && !settings.checks {
                try FirstProcess.leave(inheritance.descriptors)
            }
        } catch {
            printError("cannot serve: \(error)")
            return ExitCode.failure
        }
        do throws(SystemError) {
            let log = try settings.makeLog()
            defer { log.flush() }
            let role = inheritance.role
            if role == nil && log.isNamedPipe { printError(settings.namedPipeNote) }
            let onlyLists = role == nil && (settings.listsRoutes || settings.checks)
            if role == nil && !onlyLists && settings.supervision.isSupervised {
                return Supervision.run(invocation, arguments, log, inheritance)
            }
            let registrations = ServedPrograms.add(to: registrations, settings, log)
            if onlyLists { return list(settings, registrations, log) }
            return serve(settings, registrations, log, inheritance)
        } catch {
            printError("-l, --log-file: \(error)")
            return ExitCode.failure
        }
    }

    /// `--list-routes`, `--check`
    private static func list(
        _ settings: ServerSettings, _ registrations: [Registration], _ log: Log
    ) -> Int32 {
        for note in settings.notes { log(.warning, note) }
        // Without running any code of the handlers' files.
        guard let routes = routes(settings, registrations.map(\.withoutCode), log) else {
            return ExitCode.failure
        }
        _ = printText(StartUp.listing(routes))
        if isRefused(settings, routes) { return ExitCode.brokenHandler }
        return settings.checks ? check(settings, routes, log) : ExitCode.success
    }

    /// `--check`: everything that a start would reject, except the addresses.
    private static func check(_ settings: ServerSettings, _ routes: Routes, _ log: Log) -> Int32 {
        var settings = settings
        do throws(SetUpError) {
            try settings.setUpSite(log)
        } catch {
            printError("\(error)")
            return ExitCode.failure
        }
        do throws(TLSFileError) {
            if let tls = settings.configuration.tls {
                _ = try TLSServer(tls) { log(.warning, escaped("\($0)", limit: 1_000)) }
            }
        } catch {
            return printError(error)
        }
        guard routes.listing.contains(where: { $0.failure != nil }) else { return ExitCode.success }
        printError(StartUp.broken(routes))
        return ExitCode.brokenHandler
    }

    /// Creates the handlers, and adds the aliases of the map file; `nil` if that cannot be read,
    /// which has been printed.
    private static func routes(
        _ settings: ServerSettings, _ registrations: [Registration], _ log: Log,
        willMake: (Registration) -> Void = { _ in }
    ) -> Routes? {
        var routes = Routes(registrations, willMake: willMake)
        guard let path = settings.mapFile else { return routes }
        do throws(SystemError) {
            try MapFile.apply(path, to: &routes, log)
            return routes
        } catch {
            printError("-m, --websock-handlers-map-file: \(error)")
            return nil
        }
    }

    /// Whether `--strict` forbids serving; logs why.
    private static func isRefused(_ settings: ServerSettings, _ routes: Routes) -> Bool {
        guard settings.handlers.isStrict, routes.listing.contains(where: { $0.failure != nil })
        else {
            return false
        }
        printError("--strict: \(StartUp.broken(routes))")
        return true
    }

    private static func serve(
        _ settings: ServerSettings, _ registrations: [Registration], _ log: Log,
        _ inheritance: Inheritance
    ) -> Int32 {
        let worker: SupervisedServer?
        do throws(SystemError) {
            worker = try inheritance.role.map { role throws(SystemError) in
                try SupervisedServer(role, log)
            }
        } catch {
            printError("cannot serve: \(error)")
            return ExitCode.failure
        }
        if worker?.announces != false {
            for note in settings.notes { log(.warning, note) }
        }
        let usable = worker?.usable(registrations) ?? registrations
        guard let routes = routes(settings, usable, log, willMake: { worker?.report(making: $0) })
        else {
            return ExitCode.failure
        }
        worker?.reportHandlersMade()
        if isRefused(settings, routes) { return ExitCode.brokenHandler }
        var settings = settings
        settings.configuration.showsChanges = worker?.isWatched == true
        do throws(SetUpError) {
            try settings.setUpSite(log)
        } catch {
            printError("\(error)")
            return ExitCode.failure
        }
        return listen(settings, routes, log, worker, inheritance)
    }

    private static func listen(
        _ settings: ServerSettings, _ routes: Routes, _ log: Log, _ worker: SupervisedServer?,
        _ inheritance: Inheritance
    ) -> Int32 {
        // Before the first thread starts, so that all threads leave these signals to the loop.
        let signals = worker == nil ? [SIGINT, SIGTERM, SIGUSR1] : SupervisedServer.signals
        Signals.block(signals)
        do throws(SystemError) {
            let metrics = if let worker { try worker.metrics() } else { try ServerMetrics() }
            let server = try Server(
                settings.configuration, routes: routes, log: log, metrics: metrics,
                clients: try worker?.clients(settings.configuration))
            if worker == nil {
                server.identify(as: ServerIdentity(version: version, began: .current()))
            }
            let end = EndOfServer(server, log)
            let service = LoneService(
                inheritance.manager, server,
                routeCount: routes.listing.count { $0.failure == nil })
            server.onSignals(signals) { signal in
                if signal == SIGUSR1 { return log.reopen() }
                worker?.reportLeaving(server)
                service?.stop()
                // A supervisor receives the second signal itself, and sends `force`.
                end.signal(signal == SIGINT ? "SIGINT" : "SIGTERM", mayForce: worker == nil)
            }
            let memoryRelease = MemoryRelease(on: server.controlLoop, for: server.loops)
            let runSocket: RunSocket?
            do throws(ListenError) {
                let addresses =
                    if let worker { try worker.start(server, routes, end) } else {
                        try start(server, settings.configuration, inheritance)
                    }
                // Before the announcement: whoever reads that may stop the server at once, and the
                // supervisor has to know by then that it was ready.
                worker?.reportReady(server, routes)
                runSocket =
                    worker == nil
                    ? settings.run.open(for: server, on: addresses, log) : nil
                if worker?.announces != false {
                    warnOfAdmin(server.adminAddresses, log)
                    let places = settings.configuration.allListeners.indices.map {
                        server.addresses(ofListener: $0)
                    }
                    settings.announcer(log).announce(
                        StartUp.text(settings, routes, places, admin: server.adminAddresses))
                }
            } catch {
                if case .tls(let error) = error { return printError(error) }
                printError("cannot serve: \(error)")
                return ExitCode.cannotListen
            }
            service?.start()
            memoryRelease.start()
            withExtendedLifetime(memoryRelease) { server.waitUntilStopped() }
            runSocket?.remove()
            return end.wasForced ? ExitCode.failure : ExitCode.success
        } catch {
            printError("cannot serve: \(error)")
            return ExitCode.cannotListen
        }
    }

    /// Where the owner's address is reached by others.
    private static func warnOfAdmin(_ addresses: [SocketAddress], _ log: Log) {
        for address in addresses where !address.isLoopback {
            log(
                .warning,
                "--admin-listen: other machines may reach \(address), and whoever does may see and "
                    + "close connections without a password")
        }
    }

    /// Starts a server without a supervisor.
    private static func start(
        _ server: Server, _ configuration: Configuration, _ inheritance: Inheritance
    ) throws(ListenError) -> [SocketAddress] {
        let passed = inheritance.sockets(in: configuration)
        guard !passed.isEmpty else { return try server.start() }
        return try server.start(on: try Server.listeningSockets(configuration) + passed)
    }

    /// A file of `-c`, `-k` or `--tls-client-ca` that cannot be used.
    private static func printError(_ error: TLSFileError) -> Int32 {
        printError("\(TLSOptions.option(for: error.content)): \(escaped("\(error)", limit: 1_000))")
        return ExitCode.failure
    }

    /// Prints to standard output, for pipes and pagers.
    static func printText(_ text: String) -> Int32 {
        print(text)
        return ExitCode.success
    }

    /// Prints to standard error.
    static func printError(_ text: String) {
        let log = Log(level: .info)
        log.announce(text)
        log.flush()
    }
}
