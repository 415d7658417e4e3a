import CommandLineOptions
import Logging

/// The command `new`: a first handler file.
///
///     new [-w DIR] [--hooks all] NAME
///
/// The name is the route without its first slash: `game/room` is `game/room_wsh.swift` in the
/// handlers directory.
package struct NewHandler: Equatable, Sendable {
    /// As the author typed it; `nil`: the checkout's own.
    package private(set) var directory: String?
    /// `game/room`
    package private(set) var name = ""
    private var template = HandlerTemplate.oneHook

    /// - Parameters:
    ///   - arguments: after the command.
    ///   - directory: what the environment has for `-w`.
    /// - Throws: for wrong arguments, and with exit code 1 for a name that no file can have.
    package init(_ arguments: [String], directory: String?) throws(UsageError) {
        self.directory = directory
        let read = try Self.options.read(arguments, takesOperands: true)
        for assignment in read.assignments { try assignment.apply(to: &self) }
        guard let operand = read.operands.first else {
            throw UsageError("new: the name is missing: \(Self.usage)")
        }
        if read.operands.count > 1 {
            throw UsageError(
                "new: one name at a time, not '\(escaped(operand))' and "
                    + "'\(escaped(read.operands[1]))'")
        }
        name = try Self.name(operand)
    }

    private static let usage = "./standalone.sh new [-w DIR] [--hooks all] NAME"

    private static let options = OptionTable<NewHandler>([
        (
            "",
            [
                Option(
                    name: "websock-handlers", letter: "w", value: "DIR", help: ""
                ) { new, text, option throws(UsageError) in
                    if text.isEmpty { throw UsageError("new: \(option) needs a directory") }
                    new.directory = text
                },
                Option(
                    name: "hooks", value: "WHICH", help: ""
                ) { new, text, option throws(UsageError) in
                    guard text == "all" || text == "one" else {
                        throw UsageError("new: \(option) is one or all, not '\(escaped(text))'")
                    }
                    new.template = text == "all" ? .allHooks : .oneHook
                },
            ]
        )
    ])

    /// `first`, `first_wsh` and `first_wsh.swift` are one name.
    private static func name(_ operand: String) throws(UsageError) -> String {
        var name = operand[...]
        for suffix in [".swift", "_wsh"] where name.hasSuffix(suffix) {
            name = name.dropLast(suffix.count)
        }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.allSatisfy(isPlain), name.utf8.count <= 200 else {
            throw UsageError(
                "new: '\(escaped(operand))' is not a name for a handler: letters a-z, digits, - "
                    + "and _, in folders with / between them, such as game/room", exitCode: 1)
        }
        return String(name)
    }

    /// What a URL, a shell and a file system all take as it is.
    private static func isPlain(_ part: Substring) -> Bool {
        guard let first = part.utf8.first, first != UInt8(ascii: "-") else { return false }
        return part.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
    }

    // MARK: - The file

    /// Below the handlers directory.
    package var path: String { "\(name)_wsh.swift" }

    /// What the file gets.
    package var text: String { template.text(name: name) }

    /// What the author reads when the file was written.
    ///
    /// - Parameters:
    ///   - file: where, as the author would type it.
    ///   - program: standalone.sh, as it was called.
    package func report(file: String, program: String) -> String {
        let options = directory.map { " -w \($0.shellQuoted)" } ?? ""
        return """
            wrote \(file)

            Try it: \(program.shellQuoted)\(options) --watch
            then open http://localhost:9998/ and connect to /\(name) (ws://localhost:9998/\(name)).
            Save the file, and the next connection runs the new code.

            """
    }
}

extension String {
    /// As a word for a POSIX shell.
    package var shellQuoted: String {
        let isPlain = utf8.allSatisfy { byte in
            byte >= 0x80 || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte
                || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
                || "0123456789_-+=/.,:@%".utf8.contains(byte)
        }
        if isPlain, !isEmpty { return self }
        let parts = split(separator: "'", omittingEmptySubsequences: false)
        return "'\(parts.joined(separator: "'\\''"))'"
    }
}
