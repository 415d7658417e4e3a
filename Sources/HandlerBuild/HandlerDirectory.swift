import EventLoop
import Glibc

/// A directory of handlers that is there.
package struct HandlerDirectory: Sendable {
    /// Without links, and without a slash behind it.
    package let root: String
    /// As the author names it.
    package let shown: String
    /// The part of it that handlers are looked for in; helper code may lie outside.
    let scan: String
    let allowsOutside: Bool
    /// What was at ``root``; ``HandlerFiles`` are of this folder and no other.
    private let folder: FileStamp?

    /// - Throws: if there is no such directory.
    package init(_ choice: HandlerChoice, _ checkout: Checkout) throws(BuildError) {
        var shown = choice.directory ?? Self.shownDefault(checkout)
        if let problem = Self.problem(shown) {
            throw BuildError("the handlers directory (-w) '\(shown)' \(problem)")
        }
        while shown.endsExactly(with: "/") && shown != "/" { shown.removeLast() }
        self.shown = shown
        let root = FileSystem.realPath(shown) ?? shown
        self.root = root
        folder = FileStamp(root)
        allowsOutside = choice.allowsOutside
        guard let scan = choice.scanDirectory else {
            self.scan = root
            return
        }
        guard Self.problem(scan) == nil, let real = FileSystem.realPath(scan) else {
            throw BuildError(
                "the directory to scan (-s) '\(scan)' does not exist or cannot be read")
        }
        guard Self.contains(root, real + "/") else {
            throw BuildError(
                "the directory to scan (-s) '\(scan)' does not lie in the handlers directory (-w) "
                    + "'\(shown)'")
        }
        self.scan = real
    }

    /// The checkout's own, as somebody here would type it.
    static func shownDefault(_ checkout: Checkout) -> String {
        let here = FileSystem.workingFolder + "/"
        let path = checkout.defaultHandlers
        return path.beginsExactly(with: here)
            ? String(Substring(path.utf8.dropFirst(here.utf8.count))) : path
    }

    /// Whether it still is under its path. If not, what is found there now is something else.
    var isInPlace: Bool {
        guard let folder, let present = FileStamp(root) else { return false }
        return present.isSameFile(as: folder)
    }

    /// Tells the directories of two builds apart.
    var identity: [String] { [root, scan, "\(allowsOutside)"] }

    private static func problem(_ path: String) -> String? {
        if !FileSystem.exists(path) { return "does not exist" }
        if !FileSystem.isFolder(path) { return "is not a directory" }
        return access(path, R_OK | X_OK) == 0 ? nil : "cannot be read"
    }

    /// Whether the path lies below the folder. By bytes: a sibling in the other normal form of the
    /// same name is outside.
    static func contains(_ folder: String, _ path: String) -> Bool {
        path.beginsExactly(with: folder == "/" ? "/" : folder + "/")
    }

    /// Of a path below the root.
    package func absolute(_ path: String) -> String { root == "/" ? "/" + path : "\(root)/\(path)" }

    /// The author's files are named as `-w` names the directory.
    func shortened(_ text: String) -> String {
        text.replacing(root == "/" ? "/" : root + "/", with: shown == "/" ? "/" : shown + "/")
    }
}
