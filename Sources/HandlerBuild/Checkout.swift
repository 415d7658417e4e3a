import Glibc

/// Where this package lies, and how it is built.
package struct Checkout: Sendable {
    package enum Mode: String, Sendable {
        case release
        /// Without optimisation, for work on the server itself.
        case debug
    }

    package let path: String
    let mode: Mode

    /// - Parameters:
    ///   - path: of the folder that Package.swift is in, without links.
    ///   - mode: what `WEBSOCKETHOST_BUILD` says.
    package init(path: String, mode: String?) throws(BuildError) {
        guard let mode = Mode(rawValue: mode ?? "release") else {
            throw BuildError(
                "WEBSOCKETHOST_BUILD is 'release' or 'debug', not '\(mode ?? "")'", .usage)
        }
        self.path = path
        self.mode = mode
    }

    /// SwiftPM's, apart from that of a developer's `swift build`.
    var scratch: String { path + "/.build/standalone" }
    /// What is made of handlers directories, and of the server for them.
    var handlersState: String { path + "/.build/handlers" }
    var lock: String { path + "/.build/standalone.lock" }
    /// So that a home directory is not needed.
    var moduleCache: String { path + "/.build/handlers/modules" }
    var defaultHandlers: String { path + "/handlers" }

    /// Everything that the server without handlers is made from.
    func identity(of toolchain: Toolchain) -> String {
        var parts = [path, mode.rawValue, toolchain.identity]
        var folders = [path + "/Sources"]
        parts.append(FileSystem.stamp(path + "/Package.swift") ?? "")
        while let folder = folders.popLast() {
            for entry in (try? FileSystem.entries(of: folder)) ?? [] {
                let name = folder + "/" + String(decoding: entry.name, as: UTF8.self)
                if entry.isFolder {
                    folders.append(name)
                } else if let stamp = FileSystem.stamp(name) {
                    parts.append("\(name) \(stamp)")
                }
            }
        }
        return Digest.of(parts.sorted())
    }
}
