import EventLoop
import Glibc
import HandlerRegistry

/// A Swift file below the handlers directory.
struct HandlerFile: Sendable, Hashable {
    /// Below the root, such as `sub/echo_wsh.swift`.
    let path: String
    /// See ``FileSystem/stamp(_:)``.
    let stamp: String
    /// Of its content.
    var digest: String

    /// For tables of files.
    var exactPath: ExactText { ExactText(path) }

    var isHandler: Bool { path.endsExactly(with: "_wsh.swift") }

    /// A program, whose content is none of a build's business: it is what the file has when a
    /// client connects.
    init(_ program: ProgramFile) {
        self.init(path: program.path, stamp: "program", digest: "program")
    }

    init(path: String, stamp: String, digest: String) {
        (self.path, self.stamp, self.digest) = (path, stamp, digest)
    }
}

/// What lies in a handlers directory.
package struct HandlerFiles: Sendable {
    /// Whose names end in `_wsh.swift`, and which lie in the folder to scan; sorted.
    var handlers: [HandlerFile] = []
    /// All other Swift files: the module `Shared`.
    var helpers: [HandlerFile] = []
    /// Executable files, in the folder to scan; sorted.
    private(set) var programs: [ProgramFile] = []
    /// Sentences about files that are left alone.
    var skipped: [String] = []
    /// Folders that cannot be read, below the root and with a slash behind them.
    private(set) var unreadableFolders: [String] = []

    /// All that a build depends on: of programs, that they are there.
    var all: [HandlerFile] { helpers + handlers + programs.map { HandlerFile($0) } }

    init(handlers: [HandlerFile]) { self.handlers = handlers }

    /// How often a directory is read whose folders vanish meanwhile.
    private static let readLimit = 3

    /// - Parameter known: digests of files by stamp and path, which need not be read again.
    /// - Throws: if the directory cannot be read, or did not stay the same one. A directory without
    ///   files is something else.
    init(in directory: HandlerDirectory, known: [ExactText: HandlerFile] = [:]) throws(BuildError) {
        let scan = try Self.scan(directory)
        skipped = scan.skipped
        unreadableFolders = scan.unreadableFolders
        for path in scan.paths.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            let name = directory.absolute(path)
            let stamp = FileSystem.stamp(name) ?? ""
            var file = HandlerFile(path: path, stamp: stamp, digest: "")
            if let same = known[ExactText(path)], same.stamp == stamp {
                file.digest = same.digest
            } else {
                file.digest = (try? FileSystem.read(name)).map(Digest.of) ?? "unreadable"
            }
            if !file.isHandler {
                helpers.append(file)
            } else if HandlerDirectory.contains(directory.scan, name) {
                handlers.append(file)
            }
        }
        programs = Self.programs(of: scan, in: directory, &skipped)
        guard directory.isInPlace else { throw Self.moved(directory) }
    }

    /// The programs alone, for a server that starts.
    ///
    /// - Returns: them, and sentences about those that are left alone.
    package static func programs(
        in directory: HandlerDirectory
    ) throws(BuildError) -> (programs: [ProgramFile], skipped: [String]) {
        let scan = try scan(directory)
        var skipped = scan.skippedPrograms
        return (programs(of: scan, in: directory, &skipped), skipped)
    }

    /// Those in the folder to scan whose route is not another file's.
    private static func programs(
        of scan: Scan, in directory: HandlerDirectory, _ skipped: inout [String]
    ) -> [ProgramFile] {
        var sources: [ExactText: String] = [:]
        for path in scan.paths where path.endsExactly(with: "_wsh.swift") {
            sources[ExactText(RegistrySource.route(of: path))] = path
        }
        return scan.programs.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
            .filter { program in
                guard HandlerDirectory.contains(directory.scan, directory.absolute(program.path))
                else { return false }
                if let other = sources[ExactText(program.route)] {
                    skipped.append(
                        "skipped \(directory.shown)/\(program.path): \(other) answers "
                            + "\(program.route) already")
                    return false
                }
                sources[ExactText(program.route)] = program.path
                return true
            }
    }

    /// A folder that vanishes while it is read may be in another place, where it was not seen: the
    /// whole is read again.
    private static func scan(_ directory: HandlerDirectory) throws(BuildError) -> Scan {
        for _ in 0..<readLimit {
            var scan = Scan(directory: directory)
            do throws(SystemError) {
                try scan.visit(folder: "")
                return scan
            } catch {
                guard error.code == ENOENT || error.code == ENOTDIR else {
                    throw BuildError(
                        "the handlers directory '\(directory.shown)' cannot be read", error)
                }
            }
            guard directory.isInPlace else { break }
        }
        throw moved(directory)
    }

    private static func moved(_ directory: HandlerDirectory) -> BuildError {
        BuildError("the handlers directory '\(directory.shown)' was moved while it was read")
    }

    /// Which of these files lie in folders that cannot be read now.
    func unreadable(of files: some Sequence<HandlerFile>) -> [HandlerFile] {
        files.filter { file in unreadableFolders.contains { file.path.beginsExactly(with: $0) } }
    }
}

/// Walks a handlers directory. Names with a dot in front are left out, links to folders too.
private struct Scan {
    let directory: HandlerDirectory
    var paths: [String] = []
    var programs: [ProgramFile] = []
    var skipped: [String] = []
    /// Those of ``skipped`` that are about programs.
    var skippedPrograms: [String] = []
    var unreadableFolders: [String] = []

    /// - Parameter folder: below the root; empty, or with a slash behind it.
    /// - Throws: if the root cannot be read, or a folder has vanished.
    mutating func visit(folder: String) throws(SystemError) {
        let entries: [FileSystem.Entry]
        do throws(SystemError) {
            entries = try FileSystem.entries(of: directory.absolute(folder))
        } catch {
            if folder.isEmpty || error.code == ENOENT || error.code == ENOTDIR { throw error }
            unreadableFolders.append(folder)
            skipped.append("skipped \(directory.shown)/\(folder): it cannot be read: \(error)")
            return
        }
        for entry in entries {
            let name = String(decoding: entry.name, as: UTF8.self)
            if name.beginsExactly(with: ".") { continue }
            if entry.isFolder {
                // One with such a name cannot be opened by it; what is in it is not served.
                if Array(name.utf8) == entry.name { try visit(folder: "\(folder)\(name)/") }
            } else if name.endsExactly(with: ".swift") {
                if mayBeUsed(folder + name, entry) { paths.append(folder + name) }
            } else if let program = ProgramFile(path: folder + name) {
                add(program, entry)
            }
        }
    }

    private mutating func add(_ program: ProgramFile, _ entry: FileSystem.Entry) {
        let count = skipped.count
        defer { skippedPrograms += skipped[count...] }
        guard mayBeUsed(program.path, entry) else { return }
        guard access(directory.absolute(program.path), X_OK) == 0 else {
            skipped.append(
                "skipped \(directory.shown)/\(program.path): it is not executable "
                    + "(chmod +x \(directory.shown)/\(program.path))")
            return
        }
        programs.append(program)
    }

    /// Whether it is a file, with a usable name and inside the directory; if not, that is noted.
    private mutating func mayBeUsed(_ path: String, _ entry: FileSystem.Entry) -> Bool {
        let file = directory.absolute(path)
        let hasText = Array(String(decoding: entry.name, as: UTF8.self).utf8) == entry.name
        guard hasText, !path.unicodeScalars.contains(where: { $0.properties.isControl }) else {
            let name = path.unicodeScalars.map { $0.properties.isControl ? "?" : "\($0)" }
            skipped.append(
                "skipped \(directory.shown)/\(name.joined()): a file name must be UTF-8 without "
                    + "control characters")
            return false
        }
        guard FileSystem.isFile(file) else { return false }
        if entry.isLink && !directory.allowsOutside {
            let real = FileSystem.realPath(file) ?? ""
            guard HandlerDirectory.contains(directory.root, real) else {
                skipped.append(
                    "skipped \(directory.shown)/\(path): it is a link to \(real), outside the "
                        + "handlers directory (--allow-handlers-outside-root-dir takes it in)")
                return false
            }
        }
        return true
    }
}

extension Unicode.Scalar.Properties {
    fileprivate var isControl: Bool { generalCategory == .control }
}
