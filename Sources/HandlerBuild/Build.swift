import EventLoop
import Glibc
import HandlerRegistry

/// Makes a program of the handler files of a directory and the server.
///
/// A file that does not compile costs only itself: in a program that is built for a start its route
/// answers 503, and beside a running server it stays what it was.
package struct Build: Sendable {
    package enum Purpose: Sendable {
        case start
        /// Beside a server that runs: what worked before is kept.
        case rebuild
        /// A program for machines without Swift.
        case program
    }

    package let checkout: Checkout
    package let directory: HandlerDirectory
    package let purpose: Purpose
    let isStrict: Bool
    let runner: CommandRunner
    let output: BuildOutput
    /// See ``HandlerModules``.
    let state: String

    package init(
        _ checkout: Checkout, _ choice: HandlerChoice, _ purpose: Purpose, environment: [String],
        cancellation: Cancellation, output: BuildOutput
    ) throws(BuildError) {
        self.checkout = checkout
        self.purpose = purpose
        self.output = output
        isStrict = choice.isStrict
        directory = try HandlerDirectory(choice, checkout)
        runner = CommandRunner(environment: environment, cancellation: cancellation)
        state = Self.state(of: directory, checkout, purpose)
    }

    private static func state(
        of directory: HandlerDirectory, _ checkout: Checkout, _ purpose: Purpose
    ) -> String {
        let kind = "\(checkout.mode.rawValue)\(purpose == .program ? "-program" : "")"
        return "\(checkout.handlersState)/\(Digest.of(directory.identity + [kind]))"
    }

    /// Where ``run()`` puts the program.
    package static func program(
        of directory: HandlerDirectory, _ checkout: Checkout, _ purpose: Purpose
    ) -> String {
        state(of: directory, checkout, purpose) + "/standalone"
    }

    /// What is said when `--strict` forbids a program.
    package static let refusal =
        "handlers do not compile and --strict is given: nothing is served"

    package struct Result: Sendable {
        package var report: BuildReport
        /// Where the toolchain is, if its runtime is in the program.
        package var runtime: String?
        /// `--strict` forbids this program; the one before is still there.
        package var isRefused = false
        /// Why files do not compile, if that was not said yet.
        package var untold = ""
        /// Sentences about files that are left alone.
        package var skipped: [String] = []

        package init(report: BuildReport, runtime: String? = nil) {
            (self.report, self.runtime) = (report, runtime)
        }
    }

    /// The program that ``run()`` makes.
    package var program: String { state + "/standalone" }
    private var newProgram: String { program + ".new" }
    private var recordFile: String { state + "/record" }
    private var messagesFile: String { state + "/messages" }

    // MARK: - From files to a program

    /// Builds what changed; at once if that is nothing.
    package func run() throws(BuildError) -> Result {
        var skipped: [String] = []
        var result = try run(&skipped)
        result.skipped = skipped
        return result
    }

    private func run(_ skipped: inout [String]) throws(BuildError) -> Result {
        try FileSystem.makeFolder(state)
        let toolchain = try Toolchain(runner, log: state + "/log")
        let identity = checkout.identity(of: toolchain)
        let packages = PackageBuild(
            checkout: checkout, toolchain: toolchain, runner: runner, output: output)
        var before = record()
        var files = try handlerFiles(before)
        skipped = files.skipped
        for sentence in skipped { output.aside(sentence) }
        if let before, isUpToDate(before, files, identity), before.hasStamps(of: files) {
            return result(before, packages)
        }
        let lock = try BuildLock(checkout, runner.cancellation, output)
        defer { withExtendedLifetime(lock) {} }
        // The one that we waited for may have built it.
        before = record()
        files = try handlerFiles(before)
        if var before, isUpToDate(before, files, identity) {
            before.take(stampsOf: files)
            try FileSystem.write(before.text, to: recordFile)
            return result(before, packages)
        }
        return try build(files, before, packages, identity)
    }

    /// - Throws: also if files that are served cannot be looked at any more: a server that runs
    ///   goes on with them.
    private func handlerFiles(_ before: BuildRecord?) throws(BuildError) -> HandlerFiles {
        let known = before?.files ?? [:]
        let files = try HandlerFiles(in: directory, known: known)
        guard purpose == .rebuild, !files.unreadable(of: known.values).isEmpty else { return files }
        throw BuildError(files.skipped.joined(separator: "\n"))
    }

    private func build(
        _ files: HandlerFiles, _ before: BuildRecord?, _ packages: PackageBuild,
        _ identity: String
    ) throws(BuildError) -> Result {
        let began = MonotonicTime.current()
        let library = try packages.serverLibrary(identity)
        let count = files.handlers.count
        output.progress("building \(count) handler\(count == 1 ? "" : "s") of \(directory.shown)")
        let modules = HandlerModules(
            directory: directory, state: state, toolchain: packages.toolchain,
            options: CompilerOptions(checkout, library, isStandalone: purpose == .program),
            runner: runner, mainFolder: checkout.path + "/Sources/standalone")
        var work = BuildWork(
            modules: modules, files: files, before: before, purpose: purpose, output: output)
        try work.compile()
        let hasLinked = try work.link(to: newProgram, isBuilt: FileSystem.isFile(program))
        let record = work.record
        var result = Result(
            report: BuildReport(before: before, after: record), runtime: library.runtime)
        if !work.hasShown { result.untold = directory.shortened(work.errors) }
        result.isRefused = isStrict && record.hasBroken
        guard !result.isRefused else { return result }
        try install(record, work.errors, hasLinked: hasLinked)
        work.removeUnused()
        let seconds = (MonotonicTime.current().nanoseconds - began.nanoseconds) / 100_000_000
        output.progress("built in \(seconds / 10).\(seconds % 10) s")
        output.clearProgress()
        return result
    }

    /// The record says what the program was made from; between the two steps there is none.
    private func install(
        _ record: BuildRecord, _ errors: String, hasLinked: Bool
    ) throws(BuildError) {
        if hasLinked {
            FileSystem.remove(recordFile)
            try FileSystem.move(newProgram, to: program)
        }
        try FileSystem.write(errors, to: messagesFile)
        try FileSystem.write(record.text, to: recordFile)
    }

    /// With which the compiler takes a handler file of the directory by itself.
    func handlerFlags() throws(BuildError) -> [String] {
        let toolchain = try Toolchain(runner, log: state + "/log")
        let packages = PackageBuild(
            checkout: checkout, toolchain: toolchain, runner: runner, output: output)
        guard let library = packages.builtServerLibrary() else {
            throw BuildError("the server is not built")
        }
        return CompilerOptions(checkout, library, isStandalone: false).handler
            + ["-I", state + "/imports"]
    }

    // MARK: - What is there

    private func record() -> BuildRecord? {
        FileSystem.text(recordFile).flatMap { BuildRecord(text: $0) }
    }

    private func isUpToDate(
        _ record: BuildRecord, _ files: HandlerFiles, _ identity: String
    ) -> Bool {
        // A start does not go on with what worked before: the author should see what does not work.
        if record.hasKept && purpose != .rebuild { return false }
        return record.covers(files, server: identity) && FileSystem.isFile(program)
    }

    private func result(_ record: BuildRecord, _ packages: PackageBuild) -> Result {
        var result = Result(
            report: BuildReport(broken: record),
            runtime: packages.builtServerLibrary()?.runtime)
        if record.hasBroken {
            result.untold = directory.shortened(FileSystem.text(messagesFile) ?? "")
            result.isRefused = isStrict
        }
        return result
    }
}

extension BuildRecord {
    /// Whether not even a time of a file differs.
    func hasStamps(of files: HandlerFiles) -> Bool {
        let mine = self.files
        return files.all.allSatisfy { mine[$0.exactPath]?.stamp == $0.stamp }
    }

    /// Of files with the same contents.
    mutating func take(stampsOf files: HandlerFiles) {
        let theirs = Dictionary(files.all.map { ($0.exactPath, $0) }, uniquingKeysWith: { $1 })
        for index in items.indices {
            if let file = theirs[items[index].file.exactPath] { items[index].file = file }
        }
    }
}
