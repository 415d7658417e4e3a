import Logging

/// Where a setting comes from, from the weakest origin to the strongest.
package enum Origin: Sendable, Hashable {
    case file(path: String, lineNumber: Int)
    case environment(variable: String)
    /// The option as it was spelt.
    case commandLine(String)

    package var strength: Int {
        switch self {
        case .file: 0
        case .environment: 1
        case .commandLine: 2
        }
    }

    /// The beginning of an error message about the value.
    package func errorPrefix(_ key: String) -> String {
        switch self {
        case .file(let path, let lineNumber): "\(escaped(path)):\(lineNumber): \(escaped(key))"
        case .environment(let variable): variable
        case .commandLine(let spelling): spelling
        }
    }
}

extension Origin: CustomStringConvertible {
    package var description: String {
        switch self {
        case .file(let path, let lineNumber): "\(escaped(path)):\(lineNumber)"
        case .environment(let variable): "environment: \(variable)"
        case .commandLine(let spelling): "command line: \(spelling)"
        }
    }
}

/// An option that was given somewhere.
package struct Assignment<Settings>: Sendable {
    package let option: Option<Settings>
    package let text: String
    package let origin: Origin
    /// The option as it was spelt there, for messages.
    package let key: String

    package init(option: Option<Settings>, text: String, origin: Origin, key: String) {
        self.option = option
        self.text = text
        self.origin = origin
        self.key = key
    }

    /// The text of this one behind that of an earlier one from the same origin, where an option's
    /// values add up.
    package func joined(behind earlier: Assignment?) -> Assignment {
        guard let separator = option.separator, let earlier,
            earlier.origin.strength == origin.strength
        else { return self }
        return Assignment(
            option: option, text: earlier.text + separator + text, origin: origin, key: key)
    }

    /// Whether a flag is set.
    package func isSet() throws(UsageError) -> Bool {
        text.isEmpty && origin.strength == 2 ? true : try Values.flag(text, origin.errorPrefix(key))
    }

    /// Checks the value and puts it into the settings.
    package func apply(to settings: inout Settings) throws(UsageError) {
        if !option.isFlag {
            try option.apply(&settings, text, origin.errorPrefix(key))
        } else if try isSet() {
            try option.apply(&settings, "", origin.errorPrefix(key))
        }
    }
}
