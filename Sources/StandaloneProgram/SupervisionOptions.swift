import CommandLineOptions
import Supervisor
import WebSocketHost

/// The options of the supervisor.
struct SupervisionOptions: Sendable {
    /// `--watch`
    var watches = false
    /// Without `--no-supervisor`.
    var isSupervised = true
    /// `--start-timeout`
    var startTimeout = Supervisor.Plan.defaultStartTimeout
    /// `--max-old-generations`
    var oldGenerationLimit = Supervisor.Plan.defaultOldGenerationLimit

    private static let startTimeoutSeconds =
        Supervisor.Plan.defaultStartTimeout.components.seconds

    static let all: [ServerOption] = [
        ServerOption(
            name: "watch",
            help:
                "rebuild and serve the new version whenever a handler file is saved; open "
                + "connections stay with the version they began with"
        ) { settings, _, _ in settings.supervision.watches = true },
        ServerOption(
            name: "no-supervisor",
            help: "run one process: a handler that traps ends the server; no --watch, no SIGHUP"
        ) { settings, _, _ in settings.supervision.isSupervised = false },
        ServerOption(
            name: "start-timeout", value: "SECONDS",
            help:
                "to create all handlers; one that does not return is left out, "
                + "default \(startTimeoutSeconds)"
        ) { settings, text, option throws(UsageError) in
            settings.supervision.startTimeout = try Values.seconds(
                text, isZeroAllowed: false, option)
        }.byDefault(startTimeoutSeconds),
        ServerOption(
            name: "max-old-generations", value: "COUNT",
            help:
                "older versions that may keep connections; beyond that the oldest closes its own "
                + "with 1012, default \(Supervisor.Plan.defaultOldGenerationLimit)"
        ) { settings, text, option throws(UsageError) in
            settings.supervision.oldGenerationLimit = try Values.integer(text, 1...1_000, option)
        }.byDefault(Supervisor.Plan.defaultOldGenerationLimit),
    ]

    /// - Throws: options that exclude each other.
    static func check(_ settings: ServerSettings) throws(UsageError) {
        guard settings.supervision.watches, !settings.supervision.isSupervised else { return }
        throw UsageError("--watch needs the supervisor: remove --no-supervisor")
    }
}
