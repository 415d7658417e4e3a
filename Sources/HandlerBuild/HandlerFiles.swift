import Glibc

/// A Swift file below the handlers directory.
struct HandlerFile: Sendable, Hashable {
    /// Below the root, such as `sub/echo_wsh.swift`.
    let path: String
    /// See ``FileSystem/stamp(_:)``.
    let stamp: String
    /// Of its content.
    var digest: String

    var isHandler: Bool { path.hasSuffix("_wsh.swift") }
}

/// What lies in a handlers directory.
struct HandlerFiles: Sendable {
    /// Whose names end in `_wsh.swift`, and which lie in the folder to scan; sorted.
    var handlers: [HandlerFile] = []
    /// All other Swift files: the module `Shared`.
    var helpers: [HandlerFile] = []
    /// Sentences about files that are left alone.
    var skipped: [String] = []

    var all: [HandlerFile] { helpers + handlers }

    init(handlers: [HandlerFile]) { self.handlers = handlers }

    /// - Parameter known: digests of files by stamp and path, which need not be read again.
    init(in directory: HandlerDirectory, known: [String: HandlerFile] = [:]) {
        var scan = Scan(directory: directory)
        scan.visit(folder: "")
        skipped = scan.skipped
        for path in scan.paths.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            let name = directory.absolute(path)
            let stamp = FileSystem.stamp(name) ?? ""
            var file = HandlerFile(path: path, stamp: stamp, digest: "")
            if let same = known[path], same.stamp == stamp {
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
    }
}

/// Walks a handlers directory. Names with a dot in front are left out, links to folders too.
private struct Scan {
    let directory: HandlerDirectory
    var paths: [String] = []
    var skipped: [String] = []

    /// - Parameter folder: below the root; empty, or with a slash behind it.
    mutating func visit(folder: String) {
        for entry in FileSystem.entries(of: directory.absolute(folder)) {
            let name = String(decoding: entry.name, as: UTF8.self)
            if name.hasPrefix(".") { continue }
            if entry.isFolder {
                // One with such a name cannot be opened by it; what is in it is not served.
                if Array(name.utf8) == entry.name { visit(folder: "\(folder)\(name)/") }
            } else if name.hasSuffix(".swift") {
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
