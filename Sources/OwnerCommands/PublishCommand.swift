import CommandLineOptions
import EventLoop
import Glibc

/// `standalone.sh publish NAME`, from the command line to the exit code.
package enum PublishCommand {
    package static var options: [CommandShape.Group] { PublishSettings.table.shapes }

    /// - Parameters:
    ///   - arguments: after the command.
    ///   - variable: of the environment; `nil` for an empty one too.
    package static func run(
        _ arguments: [String], variable: (String) -> String?
    ) -> Int32 {
        let settings: PublishSettings
        do throws(UsageError) {
            settings = try PublishSettings.read(arguments, variable: variable)
        } catch {
            StandardError.write(
                "publish: \(error)\n\n\(PublishSettings.shortUsage)\n")
            return error.exitCode
        }
        if settings.showsHelp {
            print(PublishSettings.help)
            return 0
        }
        // A terminal that has gone is no reason to stop.
        Loop.ignoreBrokenPipes()
        let publisher = Publisher(
            settings, settings.place.place(variable),
            PublishReport(isBinary: settings.isBinary))
        return publisher.run().rawValue
    }
}
