import CommandLineOptions

/// What is printed about the commands of `standalone.sh`.
package enum CommandHelp {
    /// Usage: all but the first word, which are the command's own arguments.
    static let commands: [CommandShape] = [
        CommandShape(
            name: "new", usage: "[-w DIR] [--hooks all] NAME",
            summary: "writes a first handler file, which answers at /NAME",
            groups: [
                (
                    "Options",
                    [
                        handlersDirectory,
                        OptionShape(
                            name: "hooks", value: "all", help: "with every hook in it",
                            kind: .words(["all"])),
                    ]
                )
            ]),
        CommandShape(
            name: "build", usage: "-o FILE [--allow-broken] [options]",
            summary: "makes one program with the handlers in it, for machines without Swift",
            groups: [
                (
                    "Options",
                    [
                        OptionShape(
                            name: "output", letter: "o", value: "FILE", help: "the program",
                            kind: .file),
                        handlersDirectory,
                        OptionShape(
                            name: "allow-broken",
                            help: "leave out handlers that do not compile, instead of failing"),
                    ]
                )
            ]),
        CommandShape(
            name: "editor", usage: "DIR",
            summary: "prepares completion in the handler files of DIR, for SourceKit-LSP",
            operand: .folder),
        CommandShape(
            name: "client", usage: "URL",
            summary: "talks to a server; client --help has its options"),
        CommandShape(
            name: "publish", usage: "NAME",
            summary: "publishes lines of standard input to a topic; publish --help has its options"
        ),
        CommandShape(
            name: "status", usage: "[--json]",
            summary: "shows whether a server is ready, and its connections; status --help has its "
                + "options"),
        CommandShape(
            name: "test", usage: "[arguments]",
            summary: "runs the tests of the server: swift test with these arguments"),
        CommandShape(
            name: "completion", usage: "SHELL",
            summary: "prints what makes bash, zsh or fish complete these commands and options",
            operand: .words(Shell.allCases.map(\.rawValue))),
        CommandShape(
            name: "man", summary: "prints a manual page: ./standalone.sh man | man -l -"),
        CommandShape(name: "help", summary: "prints this text, as --help does"),
    ]

    private static let handlersDirectory = OptionShape(
        name: "websock-handlers", letter: "w", value: "DIR", help: "the handlers directory",
        kind: .folder)

    static let examples = [
        "./standalone.sh -p 9998 -w handlers --watch", "./standalone.sh new -w handlers first",
        "./standalone.sh build -o server -w handlers",
        "./standalone.sh client ws://localhost:9998/echo",
        "tail -f FILE | ./standalone.sh publish NAME",
    ]

    static var text: String {
        var text = "Commands\n"
        for command in commands {
            let usage = command.usage.isEmpty ? "" : " \(command.usage)"
            text += "  \(command.name)\(usage)\n      \(command.summary)\n"
        }
        text += "\nExamples\n"
        for example in examples { text += "  \(example)\n" }
        return text
    }

    /// The whole of `standalone.sh`.
    ///
    /// - Parameter options: of commands whose own module has them, by the command's name.
    package static func shape(options: [String: [CommandShape.Group]]) -> CommandShape {
        CommandShape(
            name: "standalone.sh", usage: "[-p PORT] [-w HANDLERS_DIR] [options]",
            summary: "serve a directory of WebSocket handlers",
            groups: ServerOptions.table.shapes,
            commands: commands.map { command in
                var command = command
                if let groups = options[command.name] { command.groups = groups }
                return command
            })
    }
}
