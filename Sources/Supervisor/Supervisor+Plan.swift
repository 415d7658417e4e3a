import EventLoop
import Processes

extension Supervisor {
    /// What to supervise.
    package struct Plan: Sendable {
        package var executable: String
        package var arguments: [String]
        /// `NAME=value`.
        package var environment: [String]
        package var sockets: [ListeningSocket]
        /// Where server processes answer their owner; `nil`: nowhere.
        package var runSocket: RunSocket?
        /// Where they do so, too, until the end of the last of them.
        package var adminSockets: [ListeningSocket] = []
        /// Every server process has them, so that what lies there outlives it.
        package var memories: [SharedMemory] = []
        /// Called for each process that is started.
        package var processStarted: @Sendable (StartReason) -> Void = { _ in }
        /// Called once the process with this ``ProcessRole/place`` has ended, before another one
        /// gets the place.
        package var placeFreed: @Sendable (_ place: Int) -> Void = { _ in }
        /// Answers there while no server process does; `nil`: nobody does then.
        package var makeStandIn: (@Sendable (Supervisor) -> any StandIn)?
        /// Looks at the options when SIGHUP asks for a new process with those that there are now.
        package var reload: @Sendable () -> ReloadOutcome = { .possible(unchanged: []) }
        /// The last of ``sockets`` that no option describes.
        package var passedListeners: [PassedListener] = []
        /// Who started the supervisor and wants to know how it is; `nil`: nobody.
        package var serviceManager: ServiceManager?
        /// How to build a new version; `nil`: impossible.
        package var builder: Rebuild.Builder?
        /// The handlers directory as the compiler names it, whether it is watched or not.
        package var root = ""
        /// The handlers directory as the user named it, for messages.
        package var shownRoot = ""
        package var watches = false
        /// Whether a server process that traps writes a backtrace.
        package var makesBacktraces = true
        /// From the start of a process until it has to be ready; then it is killed.
        package var startTimeout = defaultStartTimeout
        package static let defaultStartTimeout: Duration = .seconds(10)
        /// From the replacement of a process until it closes its connections with 1012; `nil`: it
        /// keeps them.
        package var oldGenerationTimeout: Duration?
        /// How many replaced processes may keep connections; beyond that the oldest closes its own.
        package var oldGenerationLimit = defaultOldGenerationLimit
        package static let defaultOldGenerationLimit = 4
        /// From the order to end until a process is killed.
        package var stopTimeout: Duration = .seconds(15)

        package init(
            executable: String, arguments: [String], environment: [String],
            sockets: [ListeningSocket]
        ) {
            self.executable = executable
            self.arguments = arguments
            self.environment = environment
            self.sockets = sockets
        }
    }

    /// What becomes of options that have changed.
    package enum ReloadOutcome: Sendable {
        /// A new process has them, but for these, which take effect when the server is started
        /// anew.
        case possible(unchanged: [String])
        /// What is wrong with them, in a line.
        case impossible(reason: String)
    }
}

/// Why a server process is started.
package enum StartReason: String, Sendable {
    /// It is the first one.
    case start
    /// Handler files have changed.
    case change
    /// SIGHUP
    case signal
    /// The one before trapped, was killed, or did not become ready in time.
    case trap
    /// The one before ended by itself.
    case end
}
