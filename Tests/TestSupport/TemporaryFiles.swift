import Foundation
import Synchronization

/// Files of this run of the tests, all in one folder, which goes when the run ends.
public enum TemporaryFiles {
    /// Not a link, as the temporary folder may be: some tests compare paths.
    private static let folder: URL = {
        let folder = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
            .appending(path: "websockethost-tests-\(ProcessInfo.processInfo.processIdentifier)")
        atexit { try? FileManager.default.removeItem(at: TemporaryFiles.folder) }
        return folder
    }()
    private static let count = Mutex(0)

    /// A path in that folder that nothing has yet.
    ///
    /// - Parameter suffix: of its last component.
    public static func path(_ suffix: String = "") throws -> String {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let number = count.withLock { count in
            count += 1
            return count
        }
        return folder.appending(path: "\(number)\(suffix)").path
    }

    /// A folder that is empty.
    public static func makeFolder(_ suffix: String = "") throws -> String {
        let path = try path(suffix)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    /// A file with that text.
    public static func write(_ text: String, _ suffix: String = "") throws -> String {
        let path = try path(suffix)
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        return path
    }
}
