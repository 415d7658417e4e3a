import CommandLineOptions

typealias Option = CommandLineOptions.Option<Settings>
typealias Assignment = CommandLineOptions.Assignment<Settings>

extension Option {
    /// `WEBSOCKETHOST_MAX_MESSAGE_SIZE`.
    var variable: String { Environment.prefix + key.uppercased() }
}
