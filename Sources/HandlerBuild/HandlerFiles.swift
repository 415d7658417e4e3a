import EventLoop
import Glibc

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
}

/// What lies in a handlers directory.
struct HandlerFiles: Sendable {
    /// Whose names end in `_wsh.swift`, and which lie in the folder to scan; sorted.
    var handlers: [HandlerFile] = []
    /// All other Swift files: the module `Shared`.
    var helpers: [HandlerFile] = []
    /// Sentences about files that are left alone.
    var skipped: [String] = []
    /// Folders that cannot be read, below the root and with a slash behind them.
    private(set) var unreadableFolders: [String] = []

    var all: [HandlerFile] { helpers + handlers }

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
        guard directory.isInPlace else { throw Self.moved(directory) }
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
    var skipped: [String] = []
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
                add(folder + name, hasText: Array(name.utf8) == entry.name, isLink: entry.isLink)
            }
        }
    }

    private mutating func add(_ path: String, hasText: Bool, isLink: Bool) {
        let file = directory.absolute(path)
        guard hasText, !path.unicodeScalars.contains(where: { $0.properties.isControl }) else {
            let name = path.unicodeScalars.map { $0.properties.isControl ? "?" : "\($0)" }
            skipped.append(
                "skipped \(directory.shown)/\(name.joined()): a file name must be UTF-8 without "
                    + "control characters")
            return
        }
        guard FileSystem.isFile(file) else { return }
        if isLink && !directory.allowsOutside {
            let real = FileSystem.realPath(file) ?? ""
            guard HandlerDirectory.contains(directory.root, real) else {
                skipped.append(
                    "skipped \(directory.shown)/\(path): it is a link to \(real), outside the "
                        + "handlers directory (--allow-handlers-outside-root-dir takes it in)")
                return
            }
        }
        paths.append(path)
    }
}

extension Unicode.Scalar.Properties {
    fileprivate var isControl: Bool { generalCategory == .control }
}
