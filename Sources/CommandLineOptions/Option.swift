/// One option of a program: its spelling, its help text, and its effect on the settings.
package struct Option<Settings>: Sendable {
    /// Takes the value and the option as it was spelt. A flag's is called only when the flag is
    /// set, with an empty value.
    package typealias Apply = @Sendable (inout Settings, String, String) throws(UsageError) -> Void

    /// Where the option may be given.
    package enum Scope: Sendable { case anywhere, notInFile, commandLineOnly }

    /// Without the leading dashes; `_` may be written for `-`.
    package let name: String
    package let letter: Character?
    /// The placeholder for the value in the help; `nil`: a flag, which takes no value on the
    /// command line, and true or false elsewhere. `FILE` and `DIR` are paths; in a configuration
    /// file they are relative to that file, and so are those in `ADDRESS`.
    package let value: String?
    package let help: String
    package let apply: Apply
    package private(set) var scope = Scope.anywhere
    /// Values that a shell can offer; it may take others.
    package private(set) var words: [String] = []
    /// What stands between its values in a text that has several; `nil`: only one counts, or it
    /// can be repeated only on the command line.
    package private(set) var separator: String?
    /// The default as a listing shows it; `nil`: there is none.
    package private(set) var defaultText: String?

    package init(
        name: String, letter: Character? = nil, value: String? = nil, help: String,
        apply: @escaping Apply
    ) {
        self.name = name
        self.letter = letter
        self.value = value
        self.help = help
        self.apply = apply
    }
}

extension Option {
    package var isFlag: Bool { value == nil }
    package var isPath: Bool { value == "FILE" || value == "DIR" }
    /// Whether it may be the path of a Unix-domain socket: `unix:/run/x.sock`.
    package var isAddress: Bool { value == "ADDRESS" }
    /// Never printed.
    package var isSecret: Bool { name.hasSuffix("credential") || name.hasSuffix("password") }
    /// `max_message_size`.
    package var key: String { String(name.map { $0 == "-" ? "_" : $0 }) }

    package func scoped(_ scope: Scope) -> Option {
        var option = self
        option.scope = scope
        return option
    }

    package func offering(_ words: [String]) -> Option {
        var option = self
        option.words = words
        return option
    }

    /// Sets the default for a listing; without this a flag's default is false.
    package func byDefault(_ text: some CustomStringConvertible) -> Option {
        var option = self
        option.defaultText = text.description
        return option
    }

    /// All of its values count, repeated or with this between them.
    package func repeatable(separatedBy separator: String) -> Option {
        var option = self
        option.separator = separator
        return option
    }

    /// A name as written by people, in the form in which names are compared.
    package static func normalized(_ spelling: some StringProtocol) -> String {
        String(spelling.lowercased().map { $0 == "_" ? "-" : $0 })
    }
}
