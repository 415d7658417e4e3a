import CommandLineOptions
import EventLoop
import Glibc
import HandlerBuild
import Processes
import Supervisor
import WebSocketHost

/// The program in its role as supervisor: it opens the listening sockets, and starts itself again
/// as server process.
enum Supervision {
    static func run(
        _ invocation: Invocation, _ arguments: [String], _ log: Log, _ inheritance: Inheritance
    ) -> Int32 {
        let settings = invocation.settings
        Signals.block(Supervisor.signals)
        Loop.ignoreBrokenPipes()
        let sockets: [ListeningSocket]
        let adminSockets: [ListeningSocket]
        do throws(ListenError) {
            sockets =
                try Server.listeningSockets(settings.configuration)
                + inheritance.sockets(in: settings.configuration)
            do throws(ListenError) {
                adminSockets = try Server.adminSockets(settings.configuration)
            } catch {
                for socket in sockets { socket.end() }
                throw error
            }
        } catch {
            Program.printError("cannot serve: \(error)")
            return Program.ExitCode.cannotListen
        }
        var plan = Supervisor.Plan(
            executable: executable(),
            arguments: [CommandLine.arguments.first ?? "standalone"] + arguments,
            environment: Environment.all() + [StartOptions.entry(invocation)], sockets: sockets)
        plan.reload = { reload(invocation, arguments, inheritance.listeners) }
        plan.runSocket = settings.run.open(on: sockets.map(\.address), log)
        plan.adminSockets = adminSockets
        plan.makeStandIn = { [configuration = settings.configuration] in
            AdminStandIn($0, configuration)
        }
        plan.passedListeners = inheritance.passedListeners
        plan.serviceManager = inheritance.manager
        plan.startTimeout = settings.supervision.startTimeout
        plan.oldGenerationLimit = settings.supervision.oldGenerationLimit
        plan.stopTimeout = settings.configuration.drainTimeout + .seconds(5)
        // Only an explicit value applies to replaced processes too; the default is for the server's
        // end.
        if invocation.given["drain-timeout"] != nil {
            plan.oldGenerationTimeout = settings.configuration.drainTimeout
        }
        plan.makesBacktraces = canMakeBacktraces()
        addBuilder(to: &plan, settings.handlers)
        plan.watches = settings.supervision.watches
        if plan.watches && plan.builder == nil {
            plan.runSocket?.close()
            for socket in sockets + adminSockets { socket.end() }
            Program.printError(
                "--watch needs standalone.sh, which builds the changes; this program was started "
                    + "without it"
            )
            return Program.ExitCode.usage
        }
        do throws(SystemError) {
            try SupervisorMetrics.add(to: &plan)
            try SupervisorClients.add(to: &plan)
            return try Supervisor(plan, log: log).run()
        } catch {
            plan.runSocket?.close()
            for socket in sockets + adminSockets { socket.end() }
            Program.printError("cannot serve: \(error)")
            return Program.ExitCode.failure
        }
    }

    /// Looks at the configuration file anew, before a process is started that would read it.
    private static func reload(
        _ start: Invocation, _ arguments: [String], _ passed: [ListenerSettings]
    ) -> Supervisor.ReloadOutcome {
        do throws(UsageError) {
            let now = try Program.readOptions(arguments, passed: passed)
            return .possible(unchanged: StartOptions.changes(from: start, to: now))
        } catch {
            return .impossible(reason: "\(error)")
        }
    }

    /// This program's file; if that has been deleted, its image in memory.
    private static func executable() -> String {
        let image = "/proc/self/exe"
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(image, &buffer, buffer.count - 1)
        guard count > 0 else { return image }
        let path = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return access(path, X_OK) == 0 ? path : image
    }

    /// standalone.sh says where the checkout is that this program was built in.
    private static func addBuilder(to plan: inout Supervisor.Plan, _ choice: HandlerChoice) {
        guard let package = Environment.value(Environment.checkout) else { return }
        do throws(BuildError) {
            let checkout = try Checkout(
                path: package, mode: Environment.value("WEBSOCKETHOST_BUILD"))
            let builder = try Rebuild.Builder(checkout, choice, environment: Environment.all())
            plan.root = builder.root
            plan.shownRoot = builder.shownRoot
            if access(builder.program, X_OK) == 0 { plan.executable = builder.program }
            plan.builder = builder
        } catch {
            Program.printError("changes of handlers are not built: \(error)")
        }
    }

    /// False if the user has set SWIFT_BACKTRACE, or the program that makes backtraces is missing.
    /// A statically linked runtime finds it through SWIFT_ROOT, which standalone.sh sets.
    private static func canMakeBacktraces() -> Bool {
        guard Environment.value("SWIFT_BACKTRACE") == nil else { return false }
        return Environment.value("SWIFT_ROOT") != nil
            || dlopen("libswiftCore.so", RTLD_LAZY | RTLD_NOLOAD) != nil
    }
}
