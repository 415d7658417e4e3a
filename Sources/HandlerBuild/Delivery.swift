import CommandLineOptions
import EventLoop
import Glibc

/// The command `build`: one program with the handlers and Swift's runtime in it.
///
///     build -o FILE [--allow-broken] [OPTIONS OF A START…]
///
/// Of a start's options, only those that select handlers apply.
package struct Delivery: Sendable {
    private var target = ""
    private var allowsBroken = false
    /// The options of a start.
    package private(set) var rest: [String] = []

    private static let usage = "./standalone.sh build -o server [-w DIR]"

    package init(_ arguments: [String]) throws {
        var arguments = arguments[...]
        while let argument = arguments.popFirst() {
            switch argument {
            case "-o", "--output": target = arguments.popFirst() ?? ""
            case "--allow-broken", "--allow_broken": allowsBroken = true
            case _ where argument.hasPrefix("--output="):
                target = String(argument.dropFirst("--output=".count))
            case _ where argument.hasPrefix("-o") && argument.count > 2:
                target = String(argument.dropFirst(2))
            default: rest.append(argument)
            }
        }
        guard !target.isEmpty else {
            throw UsageError("build: the file to write is missing: \(Self.usage)")
        }
        guard !FileSystem.isFolder(target) else {
            throw BuildError("build: '\(target)' is a directory")
        }
        let folder = target.lastIndex(of: "/").map { String(target[...$0]) } ?? "."
        guard FileSystem.isFolder(folder), access(folder, W_OK) == 0 else {
            throw BuildError("build: cannot write to '\(folder)'")
        }
    }

    /// - Throws: if handlers are broken and the author does not want such a program.
    package func check(_ report: BuildReport) throws(BuildError) {
        guard !report.broken.isEmpty, !allowsBroken else { return }
        throw BuildError(
            "build: nothing was written: \(report.broken.joined(separator: ", ")) "
                + "\(report.broken.count == 1 ? "does" : "do") not compile; with --allow-broken "
                + "the routes answer 503", .brokenHandler)
    }

    /// Under another name first: a full disk leaves no partial program.
    ///
    /// - Returns: what the author reads then.
    package func write(_ program: String) throws(BuildError) -> String {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try FileSystem.read(program)
        } catch {
            throw BuildError("build: cannot read the program", error)
        }
        let part = "\(target).part.\(getpid())"
        do throws(BuildError) {
            try FileSystem.write(bytes, to: part)
            chmod(part, 0o755)
            try FileSystem.move(part, to: target)
        } catch {
            unlink(part)
            throw BuildError("build: cannot write '\(target)'")
        }
        let size = bytes.count / 100_000
        var text = "\(target): \(size / 10).\(size % 10) MB"
        if let needs = ProgramNeeds(bytes) { text += "\n\(needs.text)" }
        return text
    }
}
