/// One option of a program: how it is spelt, what it is for, and what it does to the settings.
package struct Option<Settings>: Sendable {
    /// Takes the value and the option as it was spelt. A flag's is called only when the flag is
    /// set, with an empty value.
    package typealias Apply = @Sendable (inout Settings, String, String) throws(UsageError) -> Void

    /// Where the option may stand.
    package enum Scope: Sendable { case anywhere, notInFile, commandLineOnly }

    /// Without the dashes; `_` may be written for each `-` too.
    package let name: String
    package let letter: Character?
    /// What stands for the value in the help; `nil`: a flag, which takes none on the command line
    /// and true or false elsewhere. `FILE` and `DIR` are paths, which in a configuration file are
    /// relative to that.
    package let value: String?
    package let help: String
    package let apply: Apply
    package private(set) var scope = Scope.anywhere
    /// What a listing shows for the default; `nil`: there is no default value to show.
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
    /// Never printed.
    package var isSecret: Bool { name.hasSuffix("credential") || name.hasSuffix("password") }
    /// `max_message_size`.
    package var key: String { String(name.map { $0 == "-" ? "_" : $0 }) }

    package func scoped(_ scope: Scope) -> Option {
        var option = self
        option.scope = scope
        return option
    }

    /// For a listing; a flag's default is false without this.
    package func byDefault(_ text: some CustomStringConvertible) -> Option {
        var option = self
        option.defaultText = text.description
        return option
    }

    /// The name as people and files write it, in the one form that all are compared in.
    package static func normalized(_ spelling: some StringProtocol) -> String {
        String(spelling.lowercased().map { $0 == "_" ? "-" : $0 })
    }
}
