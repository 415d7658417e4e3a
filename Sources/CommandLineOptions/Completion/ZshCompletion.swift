/// Completion for zsh, with its `_arguments`.
struct ZshCompletion {
    let program: CommandShape

    var script: String {
        let name = program.identifier
        return """
            #compdef \(program.name)
            # Completion of \(program.name) for zsh: a file _\(program.name) in a folder of $fpath,
            # or, in a shell whose compinit has run: source <(./\(program.name) completion zsh)

            \(name)() {
                local -a commands=(
            \(program.commands.map { "        \(entry($0))" }.joined(separator: "\n"))
                )
                if ((CURRENT == 2)) && [[ $words[2] != -* ]]; then
                    _describe -t commands command commands
                    return
                fi
                case $words[2] in
            \(program.commands.map(commandCase).joined(separator: "\n"))
                    *) \(arguments(program, indent: 12)) ;;
                esac
            }

            if [[ $funcstack[1] == _\(program.name) ]]; then
                \(name) "$@"
            else
                compdef \(name) \(program.name)
            fi

            """
    }

    private func entry(_ command: CommandShape) -> String {
        Shell.quoted(
            "\(command.name):\(command.summary.split(separator: ":").joined(separator: "\\:"))")
    }

    private func commandCase(_ command: CommandShape) -> String {
        """
                \(command.name))
                    shift words
                    ((CURRENT--))
                    \(arguments(command, indent: 16))
                    ;;
        """
    }

    private func arguments(_ command: CommandShape, indent: Int) -> String {
        let space = " \\\n" + String(repeating: " ", count: indent)
        let specifications = command.options.flatMap(specifications) + operands(command)
        return "_arguments -s" + space + specifications.joined(separator: space)
    }

    private func operands(_ command: CommandShape) -> [String] {
        command.operand == .text
            ? [] : [Shell.quoted("*:\(command.usage):\(action(command.operand))")]
    }

    /// A letter and a name exclude each other.
    private func specifications(_ option: OptionShape) -> [String] {
        let others = option.letter == nil ? "" : "(\(option.spellings.joined(separator: " ")))"
        return option.spellings.map { spelling in
            let isName = spelling.hasPrefix("--")
            let end = option.value == nil ? "" : isName ? "=" : "+"
            let value = option.value.map { ":\(escaped($0)):\(action(option.kind))" } ?? ""
            return Shell.quoted("\(others)\(spelling)\(end)[\(escaped(option.summary))]\(value)")
        }
    }

    private func action(_ kind: ValueKind) -> String {
        switch kind {
        case .text: " "
        case .file: "_files"
        case .folder: "_files -/"
        case .words(let words): "(\(words.joined(separator: " ")))"
        }
    }

    private func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            if "[]:\\".contains(character) { result.append("\\") }
            result.append(character)
        }
    }
}
