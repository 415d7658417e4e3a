import EventLoop
import Foundation
import HTTPProtocol
import TestSupport
import Testing

@testable import HTTPServer

/// A folder with everything that must not be served, and what may, for as long as the test runs.
private final class Folder {
    let path: String

    init() throws {
        path = try TemporaryFiles.makeFolder() + "/root"
        for name in [
            "sub/deep", ".git", "handlers/sub", "cgi-bin", "empty", ".well-known/acme/.hidden",
            "sub/.well-known",
        ] {
            try FileManager.default.createDirectory(
                atPath: path + "/" + name, withIntermediateDirectories: true)
        }
        for name in [
            "a.txt", "index.html", "sub/b.txt", "sub/deep/c.txt", ".secret", ".git/config",
            "x_wsh.swift",
            "X_WSH.SWIFT", "free.swift", "handlers/helper.swift", "handlers/sub/helper.SWIFT",
            "handlers/readme.txt", "cgi-bin/run.sh", "naïve ü.txt", "../outside.txt", "a:b.txt",
            "..a", ".well-known/token", ".well-known/acme/token", ".well-known/.secret",
            ".well-known/acme/.hidden/token", "sub/.well-known/token", ".well-knowns",
            "e\u{301}.txt",
            ".\u{301}secret", "x_wsh.swift~", "x_wsh.swift.orig", "x_wsh.swift.bak",
            "x_wsh.swift.swp", "x_wsh.swift.~1~", "#x_wsh.swift#", "X_WSH.SWIFT.BAK", "free.swift~",
            "handlers/helper.swift~", "handlers/#helper.swift#", "handlers/helper.swift.orig",
        ] { try name.write(toFile: path + "/" + name, atomically: false, encoding: .utf8) }
        for (name, target) in [
            ("inside", "a.txt"), ("absolute", path + "/sub/b.txt"), ("folder", "sub"),
            ("up", "sub/../a.txt"),
            ("outside", "../outside.txt"), ("passwords", "/etc/passwd"), ("outer", ".."),
            ("loop", "loop"),
            ("slash", "/"), ("self", "."), ("hidden", ".secret"), ("handler.txt", "x_wsh.swift"),
            ("helper.txt", "handlers/helper.swift"), ("script.txt", "cgi-bin/run.sh"),
            ("lost", "nothing"),
            ("zero", "/dev/zero"), ("magic", "/proc/self/root"),
            ("there-and-back", "../root/a.txt"),
        ] {
            try FileManager.default.createSymbolicLink(
                atPath: path + "/" + name, withDestinationPath: target)
        }
        mkfifo(path + "/pipe", 0o600)
    }
}

@Suite("Document root")
struct DocumentRootTests {
    enum Answer: Equatable, Sendable {
        case file(String)
        case folder
        case nothing
    }

    /// The path as it was sent, and what it leads to; a file's content is its name.
    static let rows: [Row<String, Answer>] = [
        Row("file", "/a.txt", .file("a.txt")),
        Row("in folders", "/sub/deep/c.txt", .file("sub/deep/c.txt")),
        Row("encoded", "/na%C3%AFve%20%C3%BC.txt", .file("naïve ü.txt")),
        Row("encoded letters", "/%61.txt", .file("a.txt")),
        Row("colon", "/a:b.txt", .file("a:b.txt")),
        Row("root", "/", .folder),
        Row("folder", "/sub", .folder),
        Row("folder with slash", "/sub/", .folder),
        Row("file with slash", "/a.txt/", .nothing),
        Row("below a file", "/a.txt/b", .nothing),
        Row("not there", "/nothing", .nothing),
        Row("dots", "/sub/../a.txt", .nothing),
        Row("dots out", "/../outside.txt", .nothing),
        Row("encoded dots", "/%2e%2e/outside.txt", .nothing),
        Row("half-encoded dots", "/.%2E/outside.txt", .nothing),
        Row("dots twice encoded", "/%252e%252e/outside.txt", .nothing),
        Row("one dot", "/./a.txt", .nothing),
        Row("dots at the end", "/sub/..", .nothing),
        Row("encoded slash", "/sub%2fb.txt", .nothing),
        Row("encoded slash and dots", "/sub/..%2F..%2foutside.txt", .nothing),
        Row("backslashes", #"/sub\..\..\outside.txt"#, .nothing),
        Row("encoded backslashes", "/..%5coutside.txt", .nothing),
        Row("NUL", "/a.txt%00", .nothing),
        Row("NUL before a suffix", "/.secret%00.txt", .nothing),
        Row("not UTF-8", "/a%ff.txt", .nothing),
        Row("overlong dot", "/%c0%ae%c0%ae/outside.txt", .nothing),
        Row("two slashes first", "//a.txt", .nothing),
        Row("two slashes within", "/sub//b.txt", .nothing),
        Row("absolute", "//etc/passwd", .nothing),
        Row("dot-file", "/.secret", .nothing),
        Row("encoded dot-file", "/%2esecret", .nothing),
        Row("in a dot-folder", "/.git/config", .nothing),
        Row("begins with two dots", "/..a", .nothing),
        Row("handler", "/x_wsh.swift", .nothing),
        Row("handler in capitals", "/X_WSH.SWIFT", .nothing),
        Row("encoded handler", "/x_wsh%2eswift", .nothing),
        Row("handlers' helper", "/handlers/helper.swift", .nothing),
        Row("handlers' helper in capitals", "/handlers/sub/helper.SWIFT", .nothing),
        Row("other file among handlers", "/handlers/readme.txt", .file("handlers/readme.txt")),
        Row("Swift file elsewhere", "/free.swift", .file("free.swift")),
        Row("handler's backup", "/x_wsh.swift~", .nothing),
        Row("handler before a patch", "/x_wsh.swift.orig", .nothing),
        Row("copy of a handler", "/x_wsh.swift.bak", .nothing),
        Row("copy of a handler in capitals", "/X_WSH.SWIFT.BAK", .nothing),
        Row("swap file of a handler", "/x_wsh.swift.swp", .nothing),
        Row("numbered backup", "/x_wsh.swift.~1~", .nothing),
        Row("autosaved handler", "/%23x_wsh.swift%23", .nothing),
        Row("helper's backup", "/handlers/helper.swift~", .nothing),
        Row("helper before a patch", "/handlers/helper.swift.orig", .nothing),
        Row("autosaved helper", "/handlers/%23helper.swift%23", .nothing),
        Row("backup elsewhere", "/free.swift~", .file("free.swift~")),
        Row("well-known", "/.well-known/token", .file(".well-known/token")),
        Row("well-known folder", "/.well-known/acme/", .folder),
        Row("below that", "/.well-known/acme/token", .file(".well-known/acme/token")),
        Row("encoded well-known", "/%2ewell-known/token", .file(".well-known/token")),
        Row("dot-file there", "/.well-known/.secret", .nothing),
        Row("dot-folder there", "/.well-known/acme/.hidden/token", .nothing),
        Row("well-known elsewhere", "/sub/.well-known/token", .nothing),
        Row("well-known as a name", "/.well-knowns", .nothing),
        Row("twice", "/.well-known/.well-known/token", .nothing),
        Row("the other normal form", "/%C3%A9.txt", .nothing),
        Row("its own normal form", "/e%CC%81.txt", .file("e\u{301}.txt")),
        Row("a mark behind the dot", "/.%CC%81secret", .nothing),
        Row("a mark behind the slash", "/sub/%CC%81b.txt", .nothing),
        Row("script", "/cgi-bin/run.sh", .nothing),
        Row("scripts' folder", "/cgi-bin", .nothing),
        Row("link inside", "/inside", .file("a.txt")),
        Row("link by dots inside", "/up", .file("a.txt")),
        Row("absolute link inside", "/absolute", .file("sub/b.txt")),
        Row("link to a folder", "/folder/deep/c.txt", .file("sub/deep/c.txt")),
        Row("link to the root", "/self/self/a.txt", .file("a.txt")),
        Row("link out", "/outside", .nothing),
        Row("link out and back", "/there-and-back", .file("a.txt")),
        Row("absolute link out", "/passwords", .nothing),
        Row("through a folder outside", "/outer/outside.txt", .nothing),
        Row("through the real root", "/slash/etc/passwd", .nothing),
        Row("magic link", "/magic/etc/passwd", .nothing),
        Row("link to itself", "/loop", .nothing),
        Row("link to nothing", "/lost", .nothing),
        Row("link to a dot-file", "/hidden", .nothing),
        Row("link to a handler", "/handler.txt", .nothing),
        Row("link to a helper", "/helper.txt", .nothing),
        Row("link to a script", "/script.txt", .nothing),
        Row("link to a device", "/zero", .nothing),
        Row("pipe", "/pipe", .nothing),
        Row("long name", "/" + String(repeating: "x", count: 256), .nothing),
        Row("long path", String(repeating: "/x", count: 5_000), .nothing),
    ]

    private func content(_ found: DocumentRoot.Found) -> Answer {
        switch found {
        case .folder: return .folder
        case .nothing, .unreadable, .busy: return .nothing
        case .file(let file):
            var bytes = [UInt8](repeating: 0, count: file.byteCount)
            let count = bytes.withUnsafeMutableBytes { file.read(into: $0, at: 0) }
            return .file(String(decoding: bytes.prefix(count ?? 0), as: UTF8.self))
        }
    }

    @Test(arguments: rows)
    func paths(_ row: Row<String, Answer>) throws {
        let folder = try Folder()
        // Also a root that is reached by a link.
        let link = folder.path + "/../link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.path)
        for path in [folder.path, folder.path + "/", link] {
            let root = try DocumentRoot(
                path: path, handlersDirectory: folder.path + "/handlers", scriptPaths: ["cgi-bin/"])
            let decoded = ResourcePath.percentDecoded(row.input)
            let place = decoded.flatMap { DocumentRoot.relativePath($0, rawPath: row.input) }
            #expect(place.map { content(root.open($0)) } ?? .nothing == row.expected)
            // What is checked behind the path's grammar holds by itself.
            if row.expected == .nothing, let decoded {
                #expect(
                    content(root.open(String(decoded.drop { $0 == "/" }))) != .file("outside.txt"))
            }
        }
    }

    @Test func scriptsAreForScripts() throws {
        let folder = try Folder()
        let root = try DocumentRoot(path: folder.path, scriptPaths: ["/cgi-bin"])
        #expect(content(root.open("cgi-bin/run.sh", isScript: true)) == .file("cgi-bin/run.sh"))
        #expect(content(root.open("script.txt", isScript: true)) == .nothing)
        #expect(content(root.open("a.txt", isScript: true)) == .nothing)
    }

    /// Two folders whose names are one text to Swift: the root, the one with handlers, scripts'.
    @Test func siblingsInTheOtherNormalForm() throws {
        let base = try TemporaryFiles.makeFolder()
        let (composed, decomposed) = ("\(base)/caf\u{E9}", "\(base)/cafe\u{301}")
        for folder in [composed, decomposed] {
            try FileManager.default.createDirectory(
                atPath: folder + "/in\u{E9}", withIntermediateDirectories: true)
            try "text".write(
                toFile: folder + "/secret.swift", atomically: false, encoding: .utf8)
            try "text".write(
                toFile: folder + "/in\u{E9}/run", atomically: false, encoding: .utf8)
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: base)
        try #require(names.count == 2)
        try FileManager.default.createSymbolicLink(
            atPath: composed + "/link", withDestinationPath: decomposed + "/secret.swift")
        let root = try DocumentRoot(path: composed)
        #expect(content(root.open("secret.swift")) == .file("text"))
        #expect(content(root.open("link")) == .nothing)
        let site = try DocumentRoot(
            path: base, handlersDirectory: composed, scriptPaths: ["caf\u{E9}/in\u{E9}"])
        #expect(content(site.open("caf\u{E9}/secret.swift")) == .nothing)
        #expect(content(site.open("cafe\u{301}/secret.swift")) == .file("text"))
        #expect(content(site.open("caf\u{E9}/in\u{E9}/run")) == .nothing)
        #expect(content(site.open("cafe\u{301}/in\u{E9}/run")) == .file("text"))
        #expect(content(site.open("cafe\u{301}/in\u{E9}/run", isScript: true)) == .nothing)
    }

    @Test(arguments: ["/nowhere/at/all", "/etc/passwd", "/dev/null", ""])
    func noRoot(_ path: String) {
        #expect(throws: SystemError.self) { try DocumentRoot(path: path) }
    }
}
