import Testing

@testable import CommandLineOptions

private let shape = CommandShape(
    name: "a.sh", usage: "[options]", summary: "does it",
    groups: [
        (
            "Group",
            [
                OptionShape(name: "port", letter: "p", value: "PORT", help: "default 1; 0: any"),
                OptionShape(name: "file", value: "FILE", help: "it's [one]: a\\b", kind: .file),
                OptionShape(name: "dir", value: "DIR", help: "a folder", kind: .folder),
                OptionShape(name: "kind", value: "KIND", help: "a kind", kind: .words(["x", "y"])),
                OptionShape(name: "flag", letter: "f", help: "a flag"),
            ]
        )
    ],
    commands: [
        CommandShape(
            name: "new", usage: "NAME", summary: "makes: one",
            groups: [("Options", [OptionShape(name: "all", help: "all of them")])]),
        CommandShape(name: "shell", summary: "prints", operand: .words(["bash", "fish"])),
        CommandShape(name: "open", summary: "opens", operand: .folder),
    ])

@Suite("Completion, and the manual page")
struct CompletionTests {
    @Test("the short text of an option ends at its first pause, or after a line")
    func summary() {
        func summary(_ help: String) -> String { OptionShape(name: "a", help: help).summary }
        #expect(summary("default 1; 0: any") == "default 1")
        #expect(summary("") == "")
        let long = Array(repeating: "word", count: 40).joined(separator: " ")
        #expect(summary(long).count <= 80)
        #expect(summary(long).hasSuffix("word …"))
    }

    @Test(
        "each shell's own way to write what is special in it",
        arguments: [
            (Shell.fish, #"-l file -r -F -d 'it\'s [one]: a\\b'"#),
            (.fish, "-l port -s p -x -d 'default 1'"),
            (.fish, "-l dir -x -a '(__fish_complete_directories)'"),
            (.fish, "-n '__fish_seen_subcommand_from new' -l all -d 'all of them'"),
            (.fish, "-n 'not __fish_seen_subcommand_from new shell open' -l flag -s f -d"),
            (.fish, "-n '__fish_seen_subcommand_from shell' -x -a 'bash fish'"),
            (.zsh, #"'--file=[it'\''s \[one\]\: a\\b]:FILE:_files'"#),
            (.zsh, "'(-p --port)-p+[default 1]:PORT: '"),
            (.zsh, "'(-p --port)--port=[default 1]:PORT: '"),
            (.zsh, "'(-f --flag)-f[a flag]'"),
            (.zsh, #"'new:makes\: one'"#),
            (.bash, "--file) _a_sh_paths \"$1\" file ;;"),
            (.bash, "--kind) _a_sh_words \"$1\" 'x y' ;;"),
            (.bash, "-p | --port) return 0 ;;"),
            (.bash, "shell) ((COMP_CWORD > 1)) && options='bash fish ' ;;"),
        ])
    func line(_ shell: Shell, _ expected: String) {
        let script = shell.script(for: shape)
        #expect(script.contains(expected), "\(script)")
    }

    @Test("hyphens are typed as they are, and no line is a request by accident")
    func manual() {
        let page = ManualPage(
            shape, version: "A 1", description: [".profile", "'a' and a\\b …"], sections: [],
            examples: ["a.sh --port 1"]
        ).text
        for line in [
            ".TH A.SH 1 \"\" \"A 1\"", "\\&.profile",
            "\\&'a' and a\\eb \\[u2026]", "a.sh \\-\\-port 1",
            "\\fB\\-p\\fR, \\fB\\-\\-port\\fR \\fIPORT\\fR", ".SS Group", ".SH OPTIONS OF NEW",
        ] {
            #expect(page.split(separator: "\n").map(String.init).contains(line), "\(line)\n\(page)")
        }
    }
}
