/// What is printed about the commands of `standalone.sh`.
enum CommandHelp {
    /// Each with what it does; all but the first word are the command's own arguments.
    static let commands: [(usage: String, help: String)] = [
        (
            "new [-w DIR] [--hooks all] NAME",
            "writes a first handler file, which answers at /NAME"
        ),
        (
            "build -o FILE [--allow-broken] [options]",
            "makes one program with the handlers in it, for machines without Swift"
        ),
        ("editor DIR", "prepares completion in the handler files of DIR, for SourceKit-LSP"),
        ("client URL", "talks to a server; client --help has its options"),
        (
            "publish NAME",
            "publishes lines of standard input to a topic; publish --help has its options"
        ),
        ("test [arguments]", "runs the tests of the server: swift test with these arguments"),
        ("help", "prints this text, as --help does"),
    ]

    static let examples = [
        "./standalone.sh -p 9998 -w handlers --watch", "./standalone.sh new -w handlers first",
        "./standalone.sh build -o server -w handlers",
        "./standalone.sh client ws://localhost:9998/echo",
        "tail -f FILE | ./standalone.sh publish NAME",
    ]

    static var text: String {
        var text = "Commands\n"
        for command in commands { text += "  \(command.usage)\n      \(command.help)\n" }
        text += "\nExamples\n"
        for example in examples { text += "  \(example)\n" }
        return text
    }
}
