import EventLoop
import Logging
import Processes

/// Builds the server anew, by `standalone.sh rebuild`.
package final class Rebuild: ChildProcessDelegate {
    /// How to do it.
    package struct Builder: Sendable {
        /// standalone.sh
        var script: String
        /// Those of this program.
        var arguments: [String]
        var environment: [String]
        var folder: String

        package init(script: String, arguments: [String], environment: [String], folder: String) {
            self.script = script
            self.arguments = arguments
            self.environment = environment
            self.folder = folder
        }
    }

    /// What came of it.
    struct Outcome: Equatable {
        /// There is a binary of what the directory has now, but for what is broken.
        var isBuilt = true
        /// Paths below the handlers directory.
        var changed: [String] = []
        /// Which do not compile; what they were before is still in the server.
        var kept: [String] = []
        /// Which do not compile, and were nothing before that could be kept.
        var broken: [String] = []
        /// Whether there is nothing in the binary that was not there before.
        var isUnchanged = false
        /// What the compiler said, in lines; or why nothing was built.
        var messages = ""

        init() {}

        /// - Parameters:
        ///   - output: `changed`, `added`, `removed`, `kept`, `broken` and a path, `core`: a line
        ///     each.
        init(status: Int32, output: String, messages: String) {
            isBuilt = status == 0
            var paths: Set<String> = []
            for line in output.split(separator: "\n") {
                let words = line.split(separator: "\t", maxSplits: 1).map(String.init)
                switch (words.first ?? "", words.count) {
                case ("kept", 2): kept.append(words[1])
                case ("broken", 2): broken.append(words[1])
                case ("added", 2), ("removed", 2), ("changed", 2):
                    changed.append("\(words[1]) \(words[0])")
                    paths.insert(words[1])
                case ("core", _):
                    changed.append("the server itself changed")
                    paths.insert("")
                default: break
                }
            }
            isUnchanged = !paths.isEmpty && paths.isSubset(of: kept)
            self.messages = messages
        }
    }

    private let onEnd: (Outcome) -> Void
    private var process: ChildProcess?
    private var output: [UInt8] = []
    private var messages: [UInt8] = []

    /// 256 KiB: of a thousand errors the first ones.
    private static let outputByteLimit = 262_144

    /// - Parameter onEnd: called once, not after ``stop()``.
    /// - Throws: why it cannot be started.
    init(
        _ builder: Builder, on loop: Loop, onEnd: @escaping (Outcome) -> Void
    ) throws(SystemError) {
        self.onEnd = onEnd
        let command = ChildProcess.Command(
            path: builder.script, arguments: [builder.script, "rebuild"] + builder.arguments,
            environment: builder.environment, folder: builder.folder)
        process = try ChildProcess(command, input: [], on: loop, delegate: self)
    }

    func stop() { process?.close() }

    package func childWroteOutput(_ bytes: UnsafeRawBufferPointer) { Self.keep(bytes, in: &output) }
    package func childWroteErrors(_ bytes: UnsafeRawBufferPointer) {
        Self.keep(bytes, in: &messages)
    }
    package func childEndedOutput() {}

    private static func keep(_ bytes: UnsafeRawBufferPointer, in all: inout [UInt8]) {
        all.append(contentsOf: bytes.prefix(max(0, outputByteLimit - all.count)))
    }

    package func childEnded(_ status: Int32) {
        process = nil
        onEnd(
            Outcome(
                status: status, output: String(decoding: output, as: UTF8.self),
                messages: String(decoding: messages, as: UTF8.self)))
    }
}
