/// Completion for bash, with what bash itself has (`complete`, `compgen`).
struct BashCompletion {
    let program: CommandShape

    var script: String {
        let name = program.identifier
        return """
            # Completion of \(program.name) for bash. To use it in this shell:
            #   source <(./\(program.name) completion bash)

            \(name)_values() { # WORD OPTION
                case $2 in
            \(valueCases)
                    *) return 1 ;;
                esac
            }

            \(name)_words() { # WORD WORDS
                mapfile -t COMPREPLY < <(compgen -W "$2" -- "$1")
            }

            \(name)_paths() { # WORD ACTION
                compopt -o filenames 2>/dev/null
                mapfile -t COMPREPLY < <(compgen -A "$2" -- "$1")
            }

            \(name)() {
                local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} options=''
                COMPREPLY=()
                # bash takes --option=VALUE for three words.
                if [[ $word == = ]]; then
                    word=''
                elif [[ $before == = ]]; then
                    before=${COMP_WORDS[COMP_CWORD - 2]}
                fi
                \(name)_values "$word" "$before" && return
                case ${COMP_WORDS[1]} in
            \(commandCases)
                    *)
                        options='\(optionWords(program))'
                        ((COMP_CWORD > 1)) || options+=' \(commandWords)'
                        ;;
                esac
                [[ -z $options ]] || \(name)_words "$word" "$options"
            }

            complete -o bashdefault -F \(name) \(program.name)

            """
    }

    /// A name has one kind of value in all commands.
    private var valueCases: String {
        var kinds: [(action: String, names: [String])] = []
        var seen: Set<String> = []
        for command in [program] + program.commands {
            for option in command.options where option.value != nil {
                let names = option.spellings.filter { seen.insert($0).inserted }
                let action = action(option.kind)
                if let index = kinds.firstIndex(where: { $0.action == action }) {
                    kinds[index].names += names
                } else {
                    kinds.append((action, names))
                }
            }
        }
        return kinds.map { kind in
            "        \(kind.names.joined(separator: " | "))) \(kind.action) ;;"
        }.joined(separator: "\n")
    }

    private func action(_ kind: ValueKind) -> String {
        switch kind {
        case .text: "return 0"
        case .file: "\(program.identifier)_paths \"$1\" file"
        case .folder: "\(program.identifier)_paths \"$1\" directory"
        case .words(let words):
            "\(program.identifier)_words \"$1\" '\(words.joined(separator: " "))'"
        }
    }

    private var commandCases: String {
        program.commands.map { command in
            var words = optionWords(command)
            var action = ""
            switch command.operand {
            case .text: break
            case .words(let choices): words = (choices + [words]).joined(separator: " ")
            case .file: action = "\(program.identifier)_paths \"$word\" file"
            case .folder: action = "\(program.identifier)_paths \"$word\" directory"
            }
            if !action.isEmpty { action = "[[ $word == -* ]] || { \(action); return; }; " }
            return "        \(command.name)) \(action)((COMP_CWORD > 1)) && options='\(words)' ;;"
        }.joined(separator: "\n")
    }

    private var commandWords: String { program.commands.map(\.name).joined(separator: " ") }

    private func optionWords(_ command: CommandShape) -> String {
        command.options.flatMap(\.spellings).joined(separator: " ")
    }
}
