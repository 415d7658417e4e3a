import EventLoop
import Glibc
import Processes

/// Runs a program while `body` runs, with its standard input, output and error in pipes.
///
/// ```swift
/// let sum = try await withSubprocess("/usr/bin/bc", ["-q"]) { process in
///     try await process.write("1 + 2\n")
///     for try await line in process.lines { return line }
///     return ""
/// }
/// ```
///
/// Nothing blocks: in a handler all of it happens on the thread of the connection's event loop,
/// elsewhere on a thread for such programs. The program gets nothing of this process but what is
/// named here. It leads a process group, and whoever is left of that ends with it.
///
/// When `body` returns or throws, or the task is cancelled, the program is ended: its input ends,
/// and what it still writes is dropped; if that does not do, it gets SIGTERM after
/// ``SubprocessSettings/inputEndTimeout``, and SIGKILL after ``SubprocessSettings/stopTimeout``.
/// This function returns when it is gone.
///
/// - Parameters:
///   - path: of the program's file. Nothing is looked up in `PATH`.
///   - arguments: without the program's name.
///   - environment: its variables, beside `PATH` and `LD_LIBRARY_PATH`, which it has from this
///     process if they are not here.
///   - folder: its working directory; `nil`: this process's.
///   - onErrorLine: gets each line of its standard error, up to
///     ``SubprocessSettings/errorLineLimitPerSecond``, on the thread of the event loop; `nil`: they
///     are dropped.
/// - Returns: what `body` returns.
/// - Throws: what `body` throws; ``SubprocessError/notStarted(path:reason:)``,
///   ``SubprocessError/tooManySubprocesses(limit:)``.
public func withSubprocess<Result>(
    _ path: String, _ arguments: [String] = [], environment: [String: String] = [:],
    folder: String? = nil, settings: SubprocessSettings = SubprocessSettings(),
    onErrorLine: (@Sendable (String) -> Void)? = nil,
    _ body: (Subprocess) async throws -> Result
) async throws -> Result {
    var variables = environment
    for name in ["PATH", "LD_LIBRARY_PATH"] where variables[name] == nil {
        variables[name] = getenv(name).map { String(cString: $0) }
    }
    let command = ChildProcess.Command(
        path: path, arguments: [path] + arguments,
        environment: variables.map { "\($0)=\($1)" }.sorted(), folder: folder ?? ".")
    return try await withSubprocess(
        command, try SubprocessLimit.ofProcess.takePlace(), settings, onErrorLine: onErrorLine,
        body)
}

/// The same with a place that was taken before.
package func withSubprocess<Result>(
    _ command: ChildProcess.Command, _ place: SubprocessLimit.Place,
    _ settings: SubprocessSettings, onErrorLine: (@Sendable (String) -> Void)?,
    _ body: (Subprocess) async throws -> Result
) async throws -> Result {
    // C ends a text there: the program would get something else than was meant.
    let texts = [command.path, command.folder] + command.arguments + command.environment
    guard !texts.contains(where: { $0.utf8.contains(0) }) else {
        throw SubprocessError.notStarted(
            path: command.path, reason: "a NUL in an argument or variable")
    }
    guard let loop = Loop.current ?? SubprocessLoop.shared else {
        throw SubprocessError.notStarted(path: command.path, reason: "no thread for it")
    }
    let run = SubprocessRun(on: loop, settings, place, onErrorLine: onErrorLine)
    try await run.onLoop { run in
        Swift.Result { () throws(SubprocessError) in try run.start(command) }
    }.get()
    do {
        let result = try await withTaskCancellationHandler {
            try await body(Subprocess(run: run))
        } onCancel: {
            loop.submit { run.beginEnding() }
        }
        _ = await run.end()
        return result
    } catch {
        _ = await run.end()
        throw error
    }
}
