import CommandLineOptions
import EventLoop
import HandlerBuild
import HandlerRegistry
import Logging
import Subprocesses
import WebSocketHost
import WebSocketHostPrograms

/// The programs of the handlers directory, as a server process finds them when it starts.
///
/// They are not part of a build, so a program made with `build -o` has none: it serves those of the
/// directory that `-w` names, and none without it.
enum ServedPrograms {
    /// - Returns: `registrations`, and those of programs.
    static func add(
        to registrations: [Registration], _ settings: ServerSettings, _ log: Log
    ) -> [Registration] {
        SubprocessLimit.ofProcess.count = settings.programCountLimit
        let package = Environment.value(Environment.checkout)
        guard package != nil || settings.handlers.directory != nil else { return registrations }
        do throws(BuildError) {
            let checkout = try Checkout(path: package ?? "", mode: nil)
            let directory = try HandlerDirectory(settings.handlers, checkout)
            let (programs, skipped) = try HandlerFiles.programs(in: directory)
            // standalone.sh has said it.
            if package == nil { for sentence in skipped { log(.warning, escaped(sentence)) } }
            return registrations
                + programs.map { registration($0, directory, settings.programs) }
        } catch {
            log(.error, "programs are not served: \(error)")
            return registrations
        }
    }

    private static func registration(
        _ program: ProgramFile, _ directory: HandlerDirectory, _ settings: ProgramSettings
    ) -> Registration {
        let path = directory.absolute(program.path)
        return Registration(
            route: program.route, source: program.path,
            handler: program.handler(path, settings))
    }
}

extension ProgramFile {
    fileprivate func handler(_ path: String, _ settings: ProgramSettings) -> WebSocketHandler {
        var settings = settings
        switch kind {
        case .lines: break
        case .lengthPrefixed: settings.framing = .lengthPrefixed
        case .bytes: settings.framing = .bytes
        case .shared: return .sharedProgram(path, settings: settings)
        }
        return .program(path, settings: settings)
    }
}
