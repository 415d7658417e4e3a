import Logging

/// The options and operands of a command line.
package struct Arguments<Settings>: Sendable {
    package var assignments: [Assignment<Settings>] = []
    /// The words that belong to no option.
    package var operands: [String] = []
}

extension OptionTable {
    /// Splits a command line into options and operands. Values are not checked yet.
    ///
    /// - Parameters:
    ///   - arguments: after the program's name.
    ///   - takesOperands: whether words that belong to no option are allowed; after `--` all are
    ///     such.
    /// - Throws: for the first argument that is wrong.
    package func read(
        _ arguments: [String], takesOperands: Bool = false
    ) throws(UsageError) -> Arguments<Settings> {
        var result = Arguments<Settings>()
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if takesOperands {
                if argument == "--" {
                    result.operands += rest
                    return result
                }
                if !argument.hasPrefix("-") {
                    result.operands.append(argument)
                    continue
                }
            }
            result.assignments.append(try assignment(argument, &rest))
        }
        return result
    }

    /// - Parameter rest: the arguments after it, from which its value is taken.
    private func assignment(
        _ argument: String, _ rest: inout ArraySlice<String>
    ) throws(UsageError) -> Assignment<Settings> {
        let (option, spelling, attached) = try find(argument)
        var value = attached
        if option.isFlag, let joined = attached, !argument.hasPrefix("--") {
            // Flags and one more letter may be joined: -tp 9998.
            rest = ["-\(joined)"] + rest
            value = nil
        } else if !option.isFlag, attached == nil {
            guard let next = rest.popFirst() else {
                throw UsageError("\(spelling) needs a value: \(spelling) \(option.value ?? "")")
            }
            value = next
        } else if option.isFlag, let attached {
            if option.scope == .commandLineOnly { throw UsageError("\(spelling) takes no value") }
            if attached.isEmpty {
                throw UsageError("\(spelling): '' is not \(Values.flagWords)")
            }
        }
        return Assignment(
            option: option, text: value ?? "", origin: .commandLine(spelling), key: spelling)
    }

    /// The option that an argument names, how it is spelt, and a value attached by `=` or directly.
    private func find(
        _ argument: String
    ) throws(UsageError) -> (Option<Settings>, spelling: String, attached: String?) {
        if argument.hasPrefix("--") {
            let parts = argument.dropFirst(2).split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let spelling = parts.first.map(String.init) ?? ""
            guard let option = named(spelling) else {
                throw UsageError("unknown option --\(escaped(spelling))\(hint(spelling))")
            }
            return (option, "--\(spelling)", parts.count == 2 ? String(parts[1]) : nil)
        }
        guard argument.hasPrefix("-"), let letter = argument.dropFirst().first else {
            throw UsageError("'\(escaped(argument))' is not an option; options begin with -")
        }
        guard let option = all.first(where: { $0.letter == letter }) else {
            throw UsageError("unknown option \(escaped(argument))\(hint(argument.dropFirst()))")
        }
        let attached = argument.dropFirst(2)
        return (option, "-\(letter)", attached.isEmpty ? nil : String(attached))
    }

    private func hint(_ spelling: some StringProtocol) -> String {
        Nearest.hint(Option<Settings>.normalized(spelling), among: all.map(\.name), prefix: "--")
    }
}
