/// One option: on the command line, in the environment and in a configuration file.
struct Option: Sendable {
    /// Without the dashes; `_` may be written for each `-` too.
    let name: String
    var letter: Character?
    /// What stands for the value in the help; `nil`: a flag, which takes none on the command line and
    /// true or false elsewhere. `FILE` and `DIR` are paths, which in a configuration file are relative
    /// to that.
    var value: String?
    let help: String
    /// Takes the value and the option as it was spelt. A flag's is called only when the flag is set, with
    /// an empty value.
    let apply: @Sendable (inout Settings, String, String) throws(UsageError) -> Void

    /// Where the option may stand.
    enum Scope: Sendable { case anywhere, notInFile, commandLineOnly }
    var scope = Scope.anywhere
    /// What `--print-config` shows for the default; `nil`: there is no default value to show.
    var defaultText: String?
}

extension Option {
    var isFlag: Bool { value == nil }
    var isPath: Bool { value == "FILE" || value == "DIR" }
    /// Never printed.
    var isSecret: Bool { name.hasSuffix("credential") || name.hasSuffix("password") }
    /// `WEBSOCKETHOST_MAX_MESSAGE_SIZE`.
    var variable: String { Environment.prefix + key.uppercased() }
    /// `max_message_size`.
    var key: String { String(name.map { $0 == "-" ? "_" : $0 }) }

    func scoped(_ scope: Scope) -> Option {
        var option = self
        option.scope = scope
        return option
    }

    /// For `--print-config`; a flag's default is false without this.
    func byDefault(_ text: some CustomStringConvertible) -> Option {
        var option = self
        option.defaultText = text.description
        return option
    }

    /// The name as people and files write it, in the one form that all are compared in.
    static func normalized(_ spelling: some StringProtocol) -> String {
        String(spelling.lowercased().map { $0 == "_" ? "-" : $0 })
    }
}
