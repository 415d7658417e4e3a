import CommandLineOptions
import EventLoop
import Glibc

@testable import StandaloneProgram

/// Reads options as the program does, with files that are only here.
func read(
    _ arguments: [String] = [], environment: [String: String] = [:], files: [String: String] = [:]
) throws(UsageError) -> Invocation {
    try ServerOptions.read(arguments, environment: environment) { path throws(SystemError) in
        guard let text = files[path] else { throw SystemError("open(\(path))", code: ENOENT) }
        return text
    }
}

/// What reading the options fails with; `nil` if it does not.
func failure(
    _ arguments: [String] = [], environment: [String: String] = [:], files: [String: String] = [:]
) -> UsageError? {
    do throws(UsageError) {
        _ = try read(arguments, environment: environment, files: files)
        return nil
    } catch {
        return error
    }
}
