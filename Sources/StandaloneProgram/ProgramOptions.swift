import CommandLineOptions
import Subprocesses
import WebSocketHostPrograms

/// The options of programs in the handlers directory.
enum ProgramOptions {
    private static let defaults = ProgramSettings()

    static let all: [ServerOption] = [
        ServerOption(
            name: "max-programs", value: "COUNT",
            help: "programs that run at a time, default \(SubprocessLimit.ofProcess.count); more "
                + "get 503"
        ) { settings, text, option throws(UsageError) in
            settings.programCountLimit = try Values.integer(text, 1...100_000, option)
        }.byDefault(SubprocessLimit.ofProcess.count),
        ServerOption(
            name: "program-environment", value: "NAMES",
            help:
                "variables of the server, with commas between, that programs get too, default "
                + defaults.passedVariables.joined(separator: ",")
        ) { settings, text, option throws(UsageError) in
            settings.programs.passedVariables = try names(text, option)
        }.byDefault(defaults.passedVariables.joined(separator: ",")),
        ServerOption(
            name: "program-stop-timeout", value: "SECONDS",
            help: "from SIGTERM, when its client has left, to SIGKILL, default "
                + "\(defaults.subprocess.stopTimeout.components.seconds)"
        ) { settings, text, option throws(UsageError) in
            settings.programs.subprocess.stopTimeout = try Values.seconds(
                text, isZeroAllowed: false, option)
        }.byDefault(defaults.subprocess.stopTimeout.components.seconds),
    ]

    private static func names(_ text: String, _ option: String) throws(UsageError) -> [String] {
        let names = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        for name in names where name.isEmpty || name.contains(where: { "=\0 ".contains($0) }) {
            throw UsageError("\(option): expected names with commas between, found '\(text)'")
        }
        return names
    }
}
