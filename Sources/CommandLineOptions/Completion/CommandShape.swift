/// What can be written on a program's command line, without what it does: what shells complete and
/// the manual page lists.
package struct CommandShape: Sendable {
    package var name: String
    /// Its words, as in a synopsis: `[options] NAME`.
    package var usage: String
    /// One line.
    package var summary: String
    package var groups: [Group]
    /// What stands there without an option.
    package var operand: ValueKind
    /// Each is the first word.
    package var commands: [CommandShape]

    package typealias Group = (title: String, options: [OptionShape])
    package var options: [OptionShape] { groups.flatMap(\.options) }

    package init(
        name: String, usage: String = "", summary: String, groups: [Group] = [],
        operand: ValueKind = .text, commands: [CommandShape] = []
    ) {
        self.name = name
        self.usage = usage
        self.summary = summary
        self.groups = groups
        self.operand = operand
        self.commands = commands
    }
}

/// An option, without what it does.
package struct OptionShape: Sendable {
    package var name: String
    package var letter: Character?
    /// The placeholder for its value; `nil`: a flag.
    package var value: String?
    package var help: String
    package var kind: ValueKind

    package init(
        name: String, letter: Character? = nil, value: String? = nil, help: String,
        kind: ValueKind = .text
    ) {
        self.name = name
        self.letter = letter
        self.value = value
        self.help = help
        self.kind = kind
    }

    /// The help up to its first pause, for a list with a line for each.
    package var summary: String {
        let end = help.firstIndex(of: ";") ?? help.endIndex
        let words = help[..<end].split(separator: " ")
        var text = ""
        for word in words {
            guard text.count + word.count < Self.summaryLimit else { return text + " …" }
            text += (text.isEmpty ? "" : " ") + word
        }
        return text
    }
    private static let summaryLimit = 78

    /// As they are written: `-p`, `--port`.
    package var spellings: [String] { (letter.map { ["-\($0)"] } ?? []) + ["--\(name)"] }
}

/// What a value is, for a shell that completes it.
package enum ValueKind: Sendable, Equatable {
    case text, file, folder
    case words([String])
}

extension Option {
    package var shape: OptionShape {
        OptionShape(name: name, letter: letter, value: value, help: help, kind: valueKind)
    }

    private var valueKind: ValueKind {
        if !words.isEmpty { return .words(words) }
        return value == "FILE" ? .file : value == "DIR" ? .folder : .text
    }
}

extension OptionTable {
    package var shapes: [CommandShape.Group] {
        groups.map { (title: $0.title, options: $0.options.map(\.shape)) }
    }
}
