/// A shell that completes command lines, and the script that tells it how.
package enum Shell: String, CaseIterable, Sendable {
    case bash, zsh, fish

    /// - Parameter program: the program as a whole, with its commands.
    package func script(for program: CommandShape) -> String {
        switch self {
        case .bash: BashCompletion(program: program).script
        case .zsh: ZshCompletion(program: program).script
        case .fish: FishCompletion(program: program).script
        }
    }

    /// Between single quotes, where only the quote itself has a meaning.
    static func quoted(_ text: String) -> String {
        "'"
            + text.split(separator: "'", omittingEmptySubsequences: false).joined(
                separator: #"'\''"#)
            + "'"
    }
}

extension CommandShape {
    /// The name of shell functions: no shell takes a dot in all places.
    var identifier: String {
        "_" + String(name.map { $0.isLetter || $0.isNumber ? $0 : "_" })
    }
}
