import Glibc

/// Builds products of this package by `swift build`, when its sources or the compiler changed.
struct PackageBuild: Sendable {
    let checkout: Checkout
    let toolchain: Toolchain
    let runner: CommandRunner
    let output: BuildOutput

    private var log: String { checkout.handlersState + "/swift-build.log" }

    private func record(_ product: String) -> String {
        "\(checkout.handlersState)/\(product)-\(checkout.mode.rawValue)"
    }

    /// The server without handlers, of these sources.
    func serverLibrary(_ identity: String) throws(BuildError) -> ServerLibrary {
        let record = record(ServerLibrary.product)
        if let known = builtServerLibrary(), known.identity == identity { return known }
        FileSystem.remove(record)
        output.progress("building the library of the server")
        let folder = try productFolder()
        // SwiftPM adds to an archive that is there, and leaves in it what no source is left of.
        FileSystem.remove("\(folder)/\(ServerLibrary.archive)")
        try build(ServerLibrary.product)
        let flags = try systemLibraryFlags()
        let library = ServerLibrary(
            identity: identity, folder: folder,
            runtime: try toolchain.staticRuntime(runner, log: log),
            compilerFlags: flags.compiler, linkerFlags: flags.linker)
        try FileSystem.write(library.text, to: record)
        return library
    }

    /// The one that is there, of whatever sources.
    func builtServerLibrary() -> ServerLibrary? {
        guard let text = FileSystem.text(record(ServerLibrary.product)),
            let library = ServerLibrary(text: text), FileSystem.isFile(library.library)
        else { return nil }
        return library
    }

    /// - Returns: the program's path.
    func client(_ identity: String) throws(BuildError) -> String {
        let (program, record) = (record("client") + ".program", record("client"))
        if clientIsUpToDate(identity) { return program }
        FileSystem.remove(record)
        output.progress("building the client")
        try build("client")
        // A copy: a running one stays as it is when SwiftPM builds the next one.
        do {
            let bytes = try FileSystem.read(try productFolder() + "/client")
            try FileSystem.write(bytes, to: program + ".new")
        } catch {
            throw BuildError("cannot copy the client: \(error)")
        }
        chmod(program + ".new", 0o755)
        try FileSystem.move(program + ".new", to: program)
        try FileSystem.write(identity, to: record)
        return program
    }

    func clientIsUpToDate(_ identity: String) -> Bool {
        FileSystem.text(record("client")) == identity
            && FileSystem.isFile(record("client") + ".program")
    }

    /// For those who want to know without building: what ``client(_:)`` returned.
    var clientProgram: String { record("client") + ".program" }

    // MARK: - Running SwiftPM

    /// The same as standalone.sh says, or everything would be compiled twice.
    private var arguments: [String] {
        [
            toolchain.swift, "build", "--package-path", checkout.path, "--scratch-path",
            checkout.scratch, "--cache-path", checkout.scratch + "/cache", "--manifest-cache",
            "none", "--configuration", checkout.mode.rawValue,
        ]
    }

    private func command(_ more: [String]) -> Command {
        // SIGINT makes SwiftPM stop its compilers too.
        Command(
            arguments: arguments + more,
            variables: [
                "WEBSOCKETHOST_HANDLERS=none",
                "CLANG_MODULE_CACHE_PATH=\(checkout.scratch)/cache/clang",
            ], log: log, endsChildrenOnInterrupt: true)
    }

    private func build(_ product: String) throws(BuildError) {
        let isBuilt = try runner.run(command(["--product", product])) {
            let step = FileSystem.text(log)?.split(separator: "\n").last { $0.hasPrefix("[") }
            output.step(step.map(String.init) ?? "planning")
        }
        let messages = (FileSystem.text(log) ?? "").split(separator: "\n")
            .filter { !Self.isChatter($0) }
        if !messages.isEmpty { output.message(messages.map { $0 + "\n" }.joined()) }
        guard isBuilt else {
            throw BuildError("the build failed; this is not a handler's fault")
        }
    }

    private static func isChatter(_ line: Substring) -> Bool {
        let starts = [
            "[", "Building for ", "Build complete!", "Build of product ", "Planning ",
            "error: emit-module command failed", "error: compile command failed due to exit",
            "error: fatalError", "error: ExitCode(",
        ]
        return starts.contains { line.hasPrefix($0) }
    }

    private func productFolder() throws(BuildError) -> String {
        guard try runner.run(command(["--show-bin-path"])),
            let line = FileSystem.text(log)?.split(separator: "\n").last
        else { throw BuildError("'swift build --show-bin-path' failed: see \(log)") }
        return String(line)
    }

    private func systemLibraryFlags() throws(BuildError) -> (
        compiler: [String], linker: [String]
    ) {
        func flags(_ what: String) throws(BuildError) -> [String]? {
            let command = Command(
                arguments: ["/usr/bin/env", "pkg-config", what] + ServerLibrary.systemLibraries,
                log: log)
            guard try runner.run(command) else { return nil }
            return FileSystem.text(log)?.split(whereSeparator: \.isWhitespace).map(String.init)
        }
        guard let compiler = try flags("--cflags"), let linker = try flags("--libs") else {
            return ([], ServerLibrary.usualLinkerFlags)
        }
        return (compiler.flatMap { ["-Xcc", $0] }, linker)
    }
}
