import Glibc
import HandlerRegistry

/// Copies of handler files, and the modules that are compiled from them.
///
///     .build/handlers/<digest of the directories>/
///         modules/echo_wsh/handler.swift   the copy of a handler file
///         modules/echo_wsh/export.swift    see RegistrySource
///         Shared/                          the copies of the helper files
///         objects/<key>/                   what was compiled: NAME.o and NAME.swiftmodule,
///                                          or `errors` where that failed
///         imports                          a link to the folder with the module `Shared`
///         standalone, record               the program, and what it was made from
///         messages                         why files are left out
///
/// A key is the digest of everything that the compiler reads, so what was compiled once is found
/// again, and nothing has to be thrown away when something changes.
struct HandlerModules: Sendable {
    let directory: HandlerDirectory
    let state: String
    let toolchain: Toolchain
    let options: CompilerOptions
    let runner: CommandRunner
    /// Of the checkout: where the target `standalone` is.
    let mainFolder: String

    static let helpersModule = "Shared"

    /// What all keys of one server, directory and set of options have in them.
    var identity: String {
        Digest.of([options.server.identity, directory.root] + options.handler)
    }

    /// The program's first lines.
    var mainFile: String { mainFolder + "/main.swift" }

    func folder(_ key: String) -> String { "\(state)/objects/\(key)" }
    func object(_ module: String, _ key: String) -> String { "\(folder(key))/\(module).o" }

    func isCompiled(_ module: String, _ key: String) -> Bool {
        !key.isEmpty && FileSystem.isFile(object(module, key))
    }

    /// What a module failed with; `nil` if it was not tried, or was compiled.
    func errors(_ key: String) -> String? { FileSystem.text(folder(key) + "/errors") }

    /// Compiles one module into the folder of its key. First into one of its own: a compiler
    /// whose parent was killed writes on.
    func command(
        _ module: String, key: String, options flags: [String], imports: [String],
        sources: [String]
    ) throws(BuildError) -> Command {
        let work = folder(key) + ".part"
        FileSystem.remove(work)
        try FileSystem.makeFolder(work)
        return Command(
            arguments: [toolchain.compiler] + flags
                + ["-module-name", module, "-diagnostic-style=llvm", "-file-compilation-dir", "/"]
                + ["-whole-module-optimization", "-emit-module"]
                + ["-emit-module-path", "\(work)/\(module).swiftmodule"]
                + imports.flatMap { ["-I", $0] }
                + ["-c"] + sources + ["-o", "\(work)/\(module).o"],
            log: work + "/log")
    }

    /// After the command has ended.
    ///
    /// - Parameter errors: why the module must not be used; empty: it may.
    func finish(_ key: String, errors: String) throws(BuildError) {
        let work = folder(key) + ".part"
        if !errors.isEmpty { try FileSystem.write(errors, to: work + "/errors") }
        FileSystem.remove(folder(key))
        try FileSystem.move(work, to: folder(key))
    }

    func log(_ key: String) -> [UInt8] {
        (try? FileSystem.read(folder(key) + ".part/log")) ?? []
    }

    /// For editors, which need a path that stays.
    func publishHelpers(_ key: String) throws(BuildError) {
        let part = state + "/imports.part"
        FileSystem.remove(part)
        guard symlink("objects/\(key)", part) == 0 else { return }
        try FileSystem.move(part, to: state + "/imports")
    }

    /// - Parameters:
    ///   - keys: of the folders in `objects` that stay.
    ///   - names: of those in `modules`.
    func removeAll(but keys: Set<String>, modules names: Set<String>) {
        for (folder, kept) in [("objects", keys), ("modules", names)] {
            for entry in (try? FileSystem.entries(of: "\(state)/\(folder)")) ?? [] {
                let name = String(decoding: entry.name, as: UTF8.self)
                if !kept.contains(name) { FileSystem.remove("\(state)/\(folder)/\(name)") }
            }
        }
    }

    // MARK: - Copies

    /// Copies a handler file. The first line makes the compiler, `#filePath` and backtraces name
    /// the author's file.
    ///
    /// - Returns: the file's content; `nil` if it cannot be read.
    func copy(_ file: HandlerFile, module: String) throws(BuildError) -> [UInt8]? {
        guard let content = try? FileSystem.read(directory.absolute(file.path)) else { return nil }
        let folder = "\(state)/modules/\(module)"
        try FileSystem.makeFolder(folder)
        let location =
            "#sourceLocation(file: \(directory.absolute(file.path).swiftLiteral), line: 1)\n"
        try FileSystem.write(
            Array(location.utf8) + Self.withoutMark(content), to: folder + "/handler.swift")
        try FileSystem.write(RegistrySource.export(path: file.path), to: folder + "/export.swift")
        return content
    }

    func copyOfHandler(_ file: HandlerFile, module: String) -> CompilerOutput.Copy {
        CompilerOutput.Copy(
            copy: "\(state)/modules/\(module)/handler.swift",
            original: directory.absolute(file.path), lineOffset: 1)
    }

    /// Copies helper files. `a/text.swift` and `b/text.swift` become `,a,text.swift` and
    /// `,b,text.swift`: a module cannot have two files of one name, nor two `#sourceLocation` of
    /// one name, so there is none in them.
    ///
    /// - Returns: the copies, and the files that cannot be read or are no longer what their digest
    ///   says: what would be compiled of them must not get the name of what they were.
    func copyHelpers(
        _ files: [HandlerFile]
    ) throws(BuildError) -> (copies: [CompilerOutput.Copy], unread: [HandlerFile]) {
        let folder = state + "/Shared"
        FileSystem.remove(folder)
        try FileSystem.makeFolder(folder)
        var copies: [CompilerOutput.Copy] = []
        var unread: [HandlerFile] = []
        for file in files {
            guard let content = try? FileSystem.read(directory.absolute(file.path)),
                Digest.of(content) == file.digest
            else {
                unread.append(file)
                continue
            }
            let name =
                "," + file.path.replacing(",", with: ",,").replacing("/", with: ",")
            let copy = "\(folder)/\(name)"
            try FileSystem.write(Self.withoutMark(content), to: copy)
            copies.append(
                CompilerOutput.Copy(
                    copy: copy, original: directory.absolute(file.path), lineOffset: 0))
        }
        return (copies, unread)
    }

    /// A byte order mark is allowed at the start of a file only.
    static func withoutMark(_ content: [UInt8]) -> [UInt8] {
        content.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(content.dropFirst(3)) : content
    }
}
