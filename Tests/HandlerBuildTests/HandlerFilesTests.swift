import Foundation
import Glibc
import HandlerRegistry
import TestSupport
import Testing

@testable import HandlerBuild

@Suite("Files of a handlers directory")
struct HandlerFilesTests {
    private let folder: String
    private let checkout: Checkout

    init() throws {
        folder = try TemporaryFiles.makeFolder(#" it's a "näme" $(x)"#)
        checkout = try Checkout(path: folder, mode: nil)
    }

    private func write(_ path: String, _ text: String = "") throws {
        let file = URL(filePath: folder).appending(path: path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    private func files(scan: String? = nil, allowsOutside: Bool = false) throws -> HandlerFiles {
        var choice = HandlerChoice()
        choice.directory = folder
        choice.scanDirectory = scan
        choice.allowsOutside = allowsOutside
        return try HandlerFiles(in: try HandlerDirectory(choice, checkout))
    }

    @Test("handlers, helpers and others, in the order of their bytes")
    func kinds() throws {
        for path in [
            "b_wsh.swift", "a_wsh.swift", "sub/c_wsh.swift", "text.swift", "sub/more.swift",
            ".hidden_wsh.swift", ".git/d_wsh.swift", "README.txt", "UPPER_WSH.swift",
            #"it's "a\b"_wsh.swift"#, "Z_wsh.swift",
        ] { try write(path) }
        let files = try files()
        #expect(
            files.handlers.map(\.path) == [
                "Z_wsh.swift", "a_wsh.swift", "b_wsh.swift", #"it's "a\b"_wsh.swift"#,
                "sub/c_wsh.swift",
            ])
        #expect(files.helpers.map(\.path) == ["UPPER_WSH.swift", "sub/more.swift", "text.swift"])
        #expect(files.skipped.isEmpty)
    }

    @Test("programs are what is executable and has a name and a route of its own")
    func programs() throws {
        for path in ["a_wsh", "sub/b_shared_wsh", "c_wsh", "c_wsh.swift", "d_wsh", "d_bytes_wsh"] {
            try write(path)
            chmod(folder + "/" + path, 0o755)
        }
        try write("e_wsh")
        try write(".f_wsh")
        try FileManager.default.createSymbolicLink(
            atPath: folder + "/true_wsh", withDestinationPath: "/bin/true")
        let files = try files()
        #expect(files.programs.map(\.path) == ["a_wsh", "d_bytes_wsh", "sub/b_shared_wsh"])
        #expect(files.programs.map(\.route) == ["/a", "/d", "/sub/b"])
        #expect(files.handlers.map(\.path) == ["c_wsh.swift"])
        #expect(files.all.map(\.path).suffix(3) == files.programs.map(\.path))
        let reasons = [
            "c_wsh: c_wsh.swift answers /c already", "d_wsh: d_bytes_wsh answers /d already",
            "e_wsh: it is not executable (chmod +x", "true_wsh: it is a link",
        ]
        #expect(files.skipped.count == 4)
        for reason in reasons { #expect(files.skipped.contains { $0.contains(reason) }) }
        #expect(try self.files(scan: folder + "/sub").programs.map(\.path) == ["sub/b_shared_wsh"])
        // What is in them is none of a build's business, only that they are there.
        var record = BuildRecord()
        record.items = files.all.map { BuildRecord.Item(file: $0) }
        try write("a_wsh", "#!/bin/sh")
        #expect(record.covers(try self.files(), server: ""))
        chmod(folder + "/a_wsh", 0o644)
        #expect(!record.covers(try self.files(), server: ""))
    }

    @Test("only what lies in the folder to scan is a handler")
    func scan() throws {
        for path in ["a_wsh.swift", "sub/b_wsh.swift", "text.swift"] { try write(path) }
        let files = try files(scan: folder + "/sub")
        #expect(files.all.map(\.path) == ["text.swift", "sub/b_wsh.swift"])
    }

    @Test("names are bytes: what is one text to Swift is two files, and a sibling is outside")
    func normalForms() throws {
        let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
        for name in [composed, decomposed] {
            try write("\(name)_wsh.swift")
            try write("\(name)/a_wsh.swift", name)
        }
        let files = try files(scan: folder + "/" + composed)
        #expect(
            files.handlers.map { Array($0.path.utf8) } == [Array("\(composed)/a_wsh.swift".utf8)])
        #expect(Set(try self.files().all.map(\.exactPath)).count == 4)
        #expect(!HandlerDirectory.contains("/x/\(composed)", "/x/\(decomposed)/a"))
        #expect(HandlerDirectory.contains("/x/\(composed)", "/x/\(composed)/a"))
        #expect(HandlerDirectory.contains("/x", "/x/\u{301}a"))
    }

    @Test("a name that is not UTF-8, or has a line break, is skipped and named")
    func names() throws {
        try write("line\nbreak_wsh.swift")
        let path =
            Array(folder.utf8CString.dropLast()) + [47, -23] + Array("_wsh.swift".utf8CString)
        try #require(creat(path, 0o600) >= 0)
        let files = try files()
        #expect(files.all.isEmpty && files.skipped.count == 2)
        #expect(files.skipped.contains { $0.contains("line?break_wsh.swift") })
    }

    @Test("links that lead out are followed only if that is allowed")
    func links() throws {
        let outside = try TemporaryFiles.makeFolder()
        try Data("x".utf8).write(to: URL(filePath: outside + "/far_wsh.swift"))
        try write("near_wsh.swift")
        for (link, target) in [
            ("far_wsh.swift", outside + "/far_wsh.swift"), ("also_wsh.swift", "near_wsh.swift"),
            ("nothing_wsh.swift", "nowhere"), ("folder", outside),
        ] {
            try FileManager.default.createSymbolicLink(
                atPath: "\(folder)/\(link)", withDestinationPath: target)
        }
        #expect(try files().handlers.map(\.path) == ["also_wsh.swift", "near_wsh.swift"])
        #expect(try files().skipped.count == 1)
        #expect(
            try files(allowsOutside: true).handlers.map(\.path) == [
                "also_wsh.swift", "far_wsh.swift", "near_wsh.swift",
            ])
    }

    @Test("the digest is the content's")
    func digest() throws {
        try write("a_wsh.swift", "one")
        let first = try files().handlers
        try write("a_wsh.swift", "one")
        #expect(try files().handlers.map(\.digest) == first.map(\.digest))
        #expect(try files().handlers.map(\.stamp) != first.map(\.stamp))
        try write("a_wsh.swift", "two")
        #expect(try files().handlers.map(\.digest) != first.map(\.digest))
    }

    private func directory() throws -> HandlerDirectory {
        var choice = HandlerChoice()
        choice.directory = folder
        return try HandlerDirectory(choice, checkout)
    }

    @Test("a directory that goes while it is read is not an empty one")
    func goes() throws {
        try write("a_wsh.swift")
        let directory = try directory()
        #expect(rename(folder, folder + ".aside") == 0)
        #expect(throws: BuildError.self) { try HandlerFiles(in: directory) }
        // Another one in its place has other files.
        #expect(mkdir(folder, 0o700) == 0)
        #expect(throws: BuildError.self) { try HandlerFiles(in: directory) }
        #expect(rmdir(folder) == 0 && rename(folder + ".aside", folder) == 0)
        #expect(try HandlerFiles(in: directory).handlers.map(\.path) == ["a_wsh.swift"])
    }

    @Test("a folder that cannot be read is named, and its files are not taken for removed")
    func unreadableFolder() throws {
        try write("a_wsh.swift")
        // Root may read everything, but no path may be longer than PATH_MAX.
        let name = String(repeating: "n", count: 250)
        var open = [Glibc.open(folder, O_RDONLY | O_DIRECTORY)]
        for _ in 0..<17 {
            let parent = try #require(open.last)
            #expect(mkdirat(parent, name, 0o700) == 0)
            open.append(openat(parent, name, O_RDONLY | O_DIRECTORY))
        }
        defer {
            while let descriptor = open.popLast() {
                close(descriptor)
                if let parent = open.last { unlinkat(parent, name, Int32(AT_REMOVEDIR)) }
            }
        }
        let files = try files()
        #expect(files.handlers.map(\.path) == ["a_wsh.swift"])
        let unreadable = try #require(files.unreadableFolders.first)
        #expect(files.unreadableFolders.count == 1 && unreadable.hasSuffix("n/"))
        #expect(files.skipped.count == 1)
        #expect(files.skipped.first?.contains("\(unreadable): it cannot be read") == true)
        let known = ["a_wsh.swift", "\(unreadable)b_wsh.swift"].map {
            HandlerFile(path: $0, stamp: "", digest: "")
        }
        #expect(files.unreadable(of: known) == [known[1]])
    }

    private func modules() throws -> HandlerModules {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let runner = CommandRunner(environment: ["PATH=\(path)"], cancellation: try Cancellation())
        let state = try TemporaryFiles.makeFolder()
        let library = ServerLibrary(
            identity: "", folder: state, runtime: nil, compilerFlags: [], linkerFlags: [])
        return HandlerModules(
            directory: try directory(), state: state,
            toolchain: try Toolchain(runner, log: state + "/log"),
            options: CompilerOptions(checkout, library, isStandalone: false), runner: runner,
            mainFolder: state)
    }

    @Test("helper code that changes while it is read does not get the name of what it was")
    func changingHelpers() throws {
        try write("text.swift", "let a = 1")
        let files = try files()
        let modules = try modules()
        #expect(try modules.copyHelpers(files.helpers).unread.isEmpty)
        try write("text.swift", "let a = 2")
        #expect(try modules.copyHelpers(files.helpers).unread.map(\.path) == ["text.swift"])
        #expect(unlink(folder + "/text.swift") == 0)
        #expect(try modules.copyHelpers(files.helpers).unread.map(\.path) == ["text.swift"])
    }

    @Test("a directory that is not there")
    func missing() throws {
        var choice = HandlerChoice()
        choice.directory = folder + "/nowhere"
        #expect(throws: BuildError.self) { try HandlerDirectory(choice, checkout) }
        choice.directory = folder
        choice.scanDirectory = "/"
        #expect(throws: BuildError.self) { try HandlerDirectory(choice, checkout) }
    }
}
