import Testing

@testable import CommandLineOptions

/// Options of a program that is only here.
private struct Settings: Equatable, Sendable {
    var port = 0
    var names: [String] = []
    var isLoud = false

    static let table = OptionTable<Settings>([
        (
            "Some",
            [
                Option(name: "port-number", letter: "p", value: "PORT", help: "which one") {
                    settings, text, option throws(UsageError) in
                    settings.port = try Values.integer(text, 1...9, option)
                },
                Option(name: "name", value: "NAME", help: "one of several") { settings, text, _ in
                    settings.names.append(text)
                },
            ]
        ),
        (
            "Others",
            [
                Option(name: "loud", letter: "l", help: "shout") { settings, _, _ in
                    settings.isLoud = true
                },
                Option(name: "help", letter: "h", help: "this") { _, _, _ in }.scoped(
                    .commandLineOnly),
            ]
        ),
    ])

    static func read(_ arguments: [String], takesOperands: Bool) throws(UsageError) -> (
        Settings, [String]
    ) {
        let line = try table.read(arguments, takesOperands: takesOperands)
        var settings = Settings()
        for assignment in line.assignments { try assignment.apply(to: &settings) }
        return (settings, line.operands)
    }
}

@Suite("A table of options reads a command line")
struct OptionTableTests {
    static let rows:
        [(arguments: [String], port: Int, names: [String], isLoud: Bool, operands: [String])] = [
            ([], 0, [], false, []), (["a", "b"], 0, [], false, ["a", "b"]),
            (["-p", "1"], 1, [], false, []), (["-p1", "x"], 1, [], false, ["x"]),
            (["x", "--port_number=2", "y"], 2, [], false, ["x", "y"]),
            (["-lp", "3"], 3, [], true, []),
            (["--name", "-l", "--name=", "--name", "--"], 0, ["-l", "", "--"], false, []),
            (["-l", "--loud=no"], 0, [], true, []),
            (["--", "-l", "--"], 0, [], false, ["-l", "--"]),
            (["", "--loud=yes"], 0, [], true, [""]),
        ]

    @Test("options, values and operands", arguments: rows)
    func read(
        _ arguments: [String], _ port: Int, _ names: [String], _ isLoud: Bool, _ operands: [String]
    ) throws {
        let (settings, rest) = try Settings.read(arguments, takesOperands: true)
        #expect(settings == Settings(port: port, names: names, isLoud: isLoud) && rest == operands)
    }

    static let failures: [(arguments: [String], takesOperands: Bool, says: String)] = [
        (["a"], false, "'a' is not an option; options begin with -"),
        (["--"], false, "unknown option --"),
        (["-"], true, "'-' is not an option"),
        (["--nmae=1"], true, "unknown option --nmae; did you mean --name?"),
        (["-x"], true, "unknown option -x"), (["-p"], true, "-p needs a value: -p PORT"),
        (["--port-number", "x"], true, "--port-number: 'x' is not a whole number from 1 to 9"),
        (["--loud="], true, "--loud: '' is not true or false"),
        (["--help=1"], true, "--help takes no value"),
        (["--\u{1B}[31m"], true, "unknown option --\\u{1B}[31m"),
    ]

    @Test("or says in one line what is wrong", arguments: failures)
    func fails(_ arguments: [String], _ takesOperands: Bool, _ says: String) {
        do throws(UsageError) {
            _ = try Settings.read(arguments, takesOperands: takesOperands)
            Issue.record("\(arguments) were taken")
        } catch {
            #expect(error.description.hasPrefix(says) && error.exitCode == 2, "\(error)")
            #expect(!error.description.contains("\n"))
        }
    }

    @Test("the help: titles, letters, values, one column for what they do")
    func help() {
        let lines = Settings.table.help.split(separator: "\n", omittingEmptySubsequences: false)
            .map(String.init)
        #expect(lines[0...1] == ["", "Some"] && lines.contains("Others"))
        #expect(
            lines.contains(
                "  -p, --port-number PORT" + String(repeating: " ", count: 14) + "which one"))
        #expect(
            lines.contains(
                "      --name NAME" + String(repeating: " ", count: 21) + "one of several"))
    }
}
