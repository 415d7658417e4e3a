import EventLoop
import Glibc

/// A folder whose files are served: what lies in it, and nothing else.
///
/// Never served are handlers' sources, names that begin with a dot, and what a link leads to
/// outside. Where something lies is decided by the kernel, on what was opened and not on its name.
public final class DocumentRoot: Sendable {
    /// As it was given, for people.
    public let path: String
    private let folder: OpenFile
    private let realPath: String
    /// With a slash behind it; `nil` if there is no such folder.
    private let handlersFolder: String?
    /// Paths that lead to scripts, each with a slash before and behind it.
    let scriptFolders: [String]

    /// Opens the folder; it stays the same if it is moved.
    ///
    /// - Parameters:
    ///   - handlersDirectory: where handlers' sources may lie: no `.swift` file below it is served.
    ///   - scriptPaths: folders whose files are run, as the path of their URL: `/cgi-bin`.
    /// - Throws: why it cannot be read, `ENOTDIR` if it is no folder.
    public init(
        path: String, handlersDirectory: String? = nil, scriptPaths: [String] = []
    ) throws(SystemError) {
        self.path = path
        folder = try OpenFile(path: path)
        guard folder.kind == .folder else { throw SystemError("open", code: ENOTDIR) }
        guard let realPath = folder.realPath else { throw SystemError("readlink(/proc/self/fd)") }
        self.realPath = realPath == "/" ? "" : realPath
        let handlers = handlersDirectory.flatMap { try? OpenFile(path: $0).realPath }
        handlersFolder = handlers.map { $0 == "/" ? "/" : $0 + "/" }
        scriptFolders = scriptPaths.map { path in
            "/" + path.split(separator: "/").joined(separator: "/") + "/"
        }
    }

    /// What a path leads to.
    enum Found {
        case file(OpenFile)
        case folder(OpenFile)
        case nothing
        /// It is there and this process may not read it.
        case unreadable
        /// No descriptors are left.
        case busy
    }

    /// Opens what a path below the root leads to.
    ///
    /// - Parameters:
    ///   - path: from ``relativePath(_:rawPath:)``.
    ///   - isScript: whether it is for a script to be run, which is not served otherwise.
    func open(_ path: String, isScript: Bool = false) -> Found {
        guard isVisible("/" + path, isScript) else { return .nothing }
        do throws(SystemError) {
            let file = try openFile(path.isEmpty ? "." : path, isScript)
            switch file.kind {
            case .regular: return .file(file)
            case .folder: return .folder(file)
            case .other: return .nothing
            }
        } catch {
            switch error.code {
            case EACCES: return .unreadable
            case EMFILE, ENFILE, ENOMEM: return .busy
            default: return .nothing
            }
        }
    }

    /// Where the root lies, links resolved.
    var realFolder: String { realPath.isEmpty ? "/" : realPath }

    private func openFile(_ path: String, _ isScript: Bool) throws(SystemError) -> OpenFile {
        do throws(SystemError) {
            return try folder.openWithoutLinks(path)
        } catch {
            guard error.code == ELOOP else { throw error }
            return try folder.openThroughLinks(path) { place in
                guard place == realPath || place.hasPrefix(realPath + "/") else { return false }
                return isVisible(String(place.dropFirst(realPath.count)), isScript)
            }
        }
    }

    /// Whether what lies at `place` below the root, which begins with a slash, may be served.
    private func isVisible(_ place: String, _ isScript: Bool) -> Bool {
        guard
            !place.utf8.split(separator: UInt8(ascii: "/")).contains(where: {
                $0.first == UInt8(ascii: ".")
            })
        else { return false }
        let isScriptPlace = scriptFolders.contains { (place + "/").hasPrefix($0) }
        guard isScriptPlace == isScript else { return false }
        let name = place.lowercased()
        if name.hasSuffix("_wsh.swift") { return false }
        guard name.hasSuffix(".swift"), let handlersFolder else { return true }
        return !(realPath + place).hasPrefix(handlersFolder)
    }

    /// The path below the root that a request's path names; empty for the root itself.
    ///
    /// - Parameters:
    ///   - path: percent-decoded.
    ///   - rawPath: as it was sent: a slash that was encoded there separates nothing.
    /// - Returns: `nil` for what no file answers to: segments that are empty or begin with a dot,
    ///   `..` among them, and encoded slashes. A slash at the end stays.
    static func relativePath(_ path: String, rawPath: String) -> String? {
        guard path.utf8.first == UInt8(ascii: "/"), !rawPath.lowercased().contains("%2f") else {
            return nil
        }
        let relative = path.utf8.dropFirst()
        if relative.isEmpty { return "" }
        let segments = relative.split(
            separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            guard segment.first != UInt8(ascii: "."), isLast || !segment.isEmpty else { return nil }
        }
        return String(Substring(relative))
    }
}

extension DocumentRoot {
    /// Whether a name from a listing may be shown: it would be served, too.
    func mayShow(_ place: String) -> Bool {
        let name = place.hasSuffix("/") ? String(place.dropLast()) : place
        switch open(name) {
        case .file, .folder: return true
        case .nothing, .unreadable, .busy: return false
        }
    }
}
