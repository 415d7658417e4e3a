import CommandLineOptions
import EventLoop
import Glibc
import HandlerBuild
import OwnerCommands
import StandaloneProgram

/// What standalone.sh hands over to: builds the program of the handlers directory and becomes it,
/// or does one of the other commands.
struct Launcher {
    /// `NAME=value`
    private let environment: [String]
    private let output: BuildOutput
    /// standalone.sh, as it was called.
    private let script: String

    init() {
        environment = ProcessEnvironment.all
        script = ProcessEnvironment.value("STANDALONE_SCRIPT") ?? "./standalone.sh"
        output = BuildOutput(isQuiet: false)
    }

    /// - Returns: an exit code, if this process does not become another program.
    func run(_ arguments: [String]) -> Int32 {
        defer { output.flush() }
        let rest = Array(arguments.dropFirst())
        do {
            switch arguments.first {
            case "client": return try client(rest)
            case "rebuild": return try rebuild(rest)
            case "new": return try new(rest)
            case "build": return try build(rest)
            case "editor": return try editor(rest)
            case "publish": return publish(rest)
            case "status": return status(rest)
            case "completion": return try completion(rest)
            case "man": return try manual(rest)
            case "help": return try serve(["--help"])
            default: return try serve(arguments)
            }
        } catch let error as BuildError {
            if let signal = interruption?.signal { return 128 + signal }
            output.note("\(error)")
            return error.exitCode
        } catch let error as UsageError {
            output.note("\(error)")
            return error.exitCode
        } catch {
            output.note("\(error)")
            return 1
        }
    }

    private let interruption = Interruption()

    private func checkout() throws -> Checkout {
        try Checkout(
            path: ProcessEnvironment.value("STANDALONE_PACKAGE") ?? ".",
            mode: ProcessEnvironment.value("WEBSOCKETHOST_BUILD"))
    }

    private func newBuild(
        _ choice: HandlerChoice, _ purpose: Build.Purpose, _ output: BuildOutput
    ) throws -> Build {
        guard let interruption else { throw BuildError("signals cannot be handled") }
        return try Build(
            try checkout(), choice, purpose, environment: environment,
            cancellation: interruption.cancellation, output: output)
    }

    // MARK: - Programs that this process becomes

    private func serve(_ arguments: [String]) throws -> Int32 {
        let (choice, isCheck): (HandlerChoice, Bool)
        switch Preparation(arguments) {
        case .ended(let code): return code
        case .build(let handlers, let checks): (choice, isCheck) = (handlers, checks)
        }
        let build = try newBuild(choice, .start, output)
        let result = try build.run()
        if isCheck || result.isRefused { output.message(result.untold) }
        guard !result.isRefused else { throw BuildError(Build.refusal, .brokenHandler) }
        // Where a runtime that is part of the program finds the toolchain's `swift-backtrace`.
        if let runtime = result.runtime { setenv("SWIFT_ROOT", runtime, 0) }
        return try become(build.program, arguments)
    }

    private func client(_ arguments: [String]) throws -> Int32 {
        guard let interruption else { throw BuildError("signals cannot be handled") }
        let client = ClientBuild(
            checkout: try checkout(), environment: environment,
            cancellation: interruption.cancellation, output: output)
        return try become(try client.run(), arguments)
    }

    private func become(_ program: String, _ arguments: [String]) throws -> Int32 {
        output.flush()
        interruption?.end()
        let words = [program] + arguments
        var pointers = words.map { strdup($0) } + [nil]
        execv(program, &pointers)
        throw BuildError("\(program) cannot be started: \(SystemError("execv"))")
    }

    // MARK: - Other commands

    /// Builds as a start with these arguments would, beside a server that runs, and reports what
    /// happened: see ``BuildReport/text``.
    private func rebuild(_ arguments: [String]) throws -> Int32 {
        guard case .build(let choice, _) = Preparation(arguments) else { return 2 }
        let quiet = BuildOutput(isQuiet: true)
        defer { if !quiet.text.isEmpty { output.message(quiet.text) } }
        let result = try newBuild(choice, .rebuild, quiet).run()
        print(result.report.text, terminator: "")
        guard result.isRefused else { return 0 }
        quiet.message(result.untold)
        throw BuildError(Build.refusal, .brokenHandler)
    }

    private func new(_ arguments: [String]) throws -> Int32 {
        let new = try NewHandler(
            arguments, directory: ProcessEnvironment.value("WEBSOCKETHOST_WEBSOCK_HANDLERS"))
        let file = try HandlerTemplateFile.write(new, try checkout())
        print(new.report(file: file, program: script), terminator: "")
        return 0
    }

    private func build(_ arguments: [String]) throws -> Int32 {
        let delivery = try Delivery(arguments)
        let (choice, _): (HandlerChoice, Bool)
        switch Preparation(delivery.rest) {
        case .ended(let code): return code
        case .build(let handlers, let checks): (choice, _) = (handlers, checks)
        }
        let build = try newBuild(choice, .program, output)
        let result = try build.run()
        if result.isRefused || !result.report.broken.isEmpty { output.message(result.untold) }
        guard !result.isRefused else { throw BuildError(Build.refusal, .brokenHandler) }
        try delivery.check(result.report)
        print(try delivery.write(build.program))
        return 0
    }

    /// Needs no handlers.
    private func publish(_ arguments: [String]) -> Int32 {
        output.flush()
        interruption?.end()
        return PublishCommand.run(arguments, variable: ProcessEnvironment.value)
    }

    private func status(_ arguments: [String]) -> Int32 {
        output.flush()
        interruption?.end()
        return StatusCommand.run(arguments, variable: ProcessEnvironment.value)
    }

    private func editor(_ arguments: [String]) throws -> Int32 {
        guard arguments.count == 1 else {
            throw UsageError("editor: the directory is missing: \(script) editor DIR")
        }
        var choice = HandlerChoice()
        choice.directory = arguments[0]
        let build = try newBuild(choice, .start, output)
        _ = try build.run()
        print(try EditorFlags.write(build))
        return 0
    }
}
