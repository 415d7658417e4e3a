import CommandLineOptions
import OwnerCommands
import StandaloneProgram

// What is generated from the tables of options.

extension Launcher {
    private static var program: CommandShape {
        CommandHelp.shape(options: [
            "publish": PublishCommand.options, "status": StatusCommand.options,
        ])
    }

    func completion(_ arguments: [String]) throws(UsageError) -> Int32 {
        let names = Shell.allCases.map(\.rawValue)
        guard let name = arguments.first, arguments.count == 1 else {
            throw UsageError("completion: name one shell: \(names.joined(separator: ", "))")
        }
        guard let shell = Shell(rawValue: name) else {
            throw Values.notOneOf(names, name, "completion")
        }
        print(shell.script(for: Self.program), terminator: "")
        return 0
    }

    func manual(_ arguments: [String]) throws(UsageError) -> Int32 {
        guard arguments.isEmpty else { throw UsageError("man takes no arguments") }
        print(ServerManual.page(Self.program), terminator: "")
        return 0
    }
}
