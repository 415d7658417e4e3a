/// Completion for fish: a `complete` for each option.
struct FishCompletion {
    let program: CommandShape

    var script: String {
        var lines = [
            "# Completion of \(program.name) for fish. To use it in this shell:",
            "#   ./\(program.name) completion fish | source",
            "",
            "complete -c \(program.name) -f",
        ]
        for command in program.commands {
            lines.append(
                "complete -c \(program.name) -n __fish_use_subcommand -a \(command.name) "
                    + "-d \(quoted(command.summary))")
        }
        let names = program.commands.map(\.name).joined(separator: " ")
        lines += options(program, "not __fish_seen_subcommand_from \(names)")
        for command in program.commands {
            let condition = "__fish_seen_subcommand_from \(command.name)"
            if command.operand != .text {
                lines.append(
                    "complete -c \(program.name) -n \(quoted(condition)) \(value(command.operand))")
            }
            lines += options(command, condition)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func options(_ command: CommandShape, _ condition: String) -> [String] {
        command.options.map { option in
            var words = ["complete -c \(program.name) -n \(quoted(condition)) -l \(option.name)"]
            if let letter = option.letter { words.append("-s \(letter)") }
            if option.value != nil { words.append(value(option.kind)) }
            words.append("-d \(quoted(option.summary))")
            return words.joined(separator: " ")
        }
    }

    private func value(_ kind: ValueKind) -> String {
        switch kind {
        case .text: "-x"
        case .file: "-r -F"
        case .folder: "-x -a '(__fish_complete_directories)'"
        case .words(let words): "-x -a \(quoted(words.joined(separator: " ")))"
        }
    }

    /// fish reads a backslash between single quotes too.
    private func quoted(_ text: String) -> String {
        let characters = text.map { "'\\".contains($0) ? "\\\($0)" : String($0) }
        return "'\(characters.joined())'"
    }
}
