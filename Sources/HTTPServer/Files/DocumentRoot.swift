import EventLoop
import Glibc

/// A folder whose files are served: what lies in it, and nothing else.
///
/// Never served are handlers' sources and an editor's copies of them, names that begin with a dot
/// except `/.well-known` (RFC 8615), and what a link leads to outside. Where something lies is
/// decided by the kernel, on what was opened and not on its name; names are compared as bytes, as
/// the kernel does.
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
            "/"
                + path.utf8.split(separator: UInt8(ascii: "/"))
                .map { String(Substring($0)) }.joined(separator: "/") + "/"
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
                guard place.isExactly(realPath) || place.beginsExactly(with: realPath + "/") else {
                    return false
                }
                return isVisible(
                    String(Substring(place.utf8.dropFirst(realPath.utf8.count))), isScript)
            }
        }
    }

    /// Whether what lies at `place` below the root, which begins with a slash, may be served.
    private func isVisible(_ place: String, _ isScript: Bool) -> Bool {
        let segments = place.utf8.split(separator: UInt8(ascii: "/"))
        guard !Self.hasHiddenName(segments) else { return false }
        let isScriptPlace = scriptFolders.contains { (place + "/").beginsExactly(with: $0) }
        guard isScriptPlace == isScript else { return false }
        guard let name = segments.last else { return true }
        if Self.isSource(name, ending: "_wsh.swift") { return false }
        guard let handlersFolder, (realPath + place).beginsExactly(with: handlersFolder) else {
            return true
        }
        return !Self.isSource(name, ending: ".swift")
    }

    /// Whether a segment begins with a dot; `.well-known` may be the first one.
    private static func hasHiddenName(_ segments: [Substring.UTF8View]) -> Bool {
        let isWellKnown = segments.first?.elementsEqual(".well-known".utf8) ?? false
        return segments.dropFirst(isWellKnown ? 1 : 0).contains { $0.first == UInt8(ascii: ".") }
    }

    /// Whether a file has such a name, or is what an editor keeps beside one that has:
    /// `echo_wsh.swift~`, `.orig`, `.bak`, `.swp`, `.~1~`, `#echo_wsh.swift#`. The case of letters
    /// does not matter.
    private static func isSource(_ name: Substring.UTF8View, ending: String) -> Bool {
        let small = name.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        return small.firstRange(of: Array(ending.utf8)) != nil
    }

    /// The path below the root that a request's path names; empty for the root itself.
    ///
    /// - Parameters:
    ///   - path: percent-decoded.
    ///   - rawPath: as it was sent: a slash that was encoded there separates nothing.
    /// - Returns: `nil` for what no file answers to: segments that are empty or begin with a dot,
    ///   `..` among them and `/.well-known` not, and encoded slashes. A slash at the end stays.
    static func relativePath(_ path: String, rawPath: String) -> String? {
        guard path.utf8.first == UInt8(ascii: "/"), !hasEncodedSlash(rawPath) else {
            return nil
        }
        let relative = path.utf8.dropFirst()
        if relative.isEmpty { return "" }
        let segments = relative.split(
            separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard !hasHiddenName(segments), segments.dropLast().allSatisfy({ !$0.isEmpty }) else {
            return nil
        }
        return String(Substring(relative))
    }

    private static func hasEncodedSlash(_ rawPath: String) -> Bool {
        let bytes = Array(rawPath.utf8)
        return bytes.firstRange(of: Array("%2f".utf8)) != nil
            || bytes.firstRange(of: Array("%2F".utf8)) != nil
    }
}

extension DocumentRoot {
    /// Whether a name from a listing may be shown: it would be served, too.
    func mayShow(_ place: String) -> Bool {
        let name =
            place.endsExactly(with: "/") ? String(Substring(place.utf8.dropLast())) : place
        switch open(name) {
        case .file, .folder: return true
        case .nothing, .unreadable, .busy: return false
        }
    }
}
