import Foundation
import Testing

/// Reads the sources as text and holds them to the rules that no compiler checks.
@Suite("Rooms, arrows down")
struct LayeringTests {
    /// What each room may import; its own dependencies and nothing that lies above.
    static let rooms: [(name: String, imports: Set<String>)] = [
        ("HTTPProtocol", []),
        ("WebSocketProtocol", ["HTTPProtocol", "COpenSSL", "CZlib"]),
        ("EventLoop", ["CLinux", "COpenSSL", "Glibc", "Synchronization"]),
        ("Processes", ["CLinux", "EventLoop", "Glibc", "Synchronization"]),
        ("Logging", ["EventLoop", "Glibc", "Synchronization"]),
        (
            "WebSocketConnection",
            [
                "CSwiftTasks", "EventLoop", "HTTPProtocol", "Logging", "Synchronization",
                "WebSocketProtocol",
            ]
        ),
        (
            "HTTPServer",
            [
                "CCrypt", "COpenSSL", "EventLoop", "Glibc", "HTTPProtocol", "Logging",
                "Processes", "Synchronization",
            ]
        ),
        (
            "WebSocketHost",
            [
                "EventLoop", "Glibc", "HTTPProtocol", "HTTPServer", "Logging", "Processes",
                "Synchronization", "WebSocketConnection", "WebSocketProtocol",
            ]
        ),
        (
            "WebSocketClient",
            [
                "EventLoop", "HTTPProtocol", "Synchronization", "WebSocketConnection",
                "WebSocketProtocol",
            ]
        ),
        (
            "WebSocketHostTesting",
            ["EventLoop", "HTTPProtocol", "Synchronization", "WebSocketHost", "WebSocketProtocol"]
        ),
        ("CommandLineOptions", ["Logging", "WebSocketProtocol"]),
        ("Supervisor", ["EventLoop", "Glibc", "HandlerBuild", "Logging", "Processes"]),
        (
            "client",
            [
                "CommandLineOptions", "EventLoop", "Glibc", "HTTPProtocol", "Logging", "Processes",
                "Synchronization", "WebSocketClient",
                "WebSocketProtocol",
            ]
        ),
        (
            "StandaloneProgram",
            [
                "CommandLineOptions", "EventLoop", "Glibc", "HandlerBuild", "Processes",
                "Supervisor", "Synchronization", "WebSocketHost", "WebSocketProtocol",
            ]
        ),
        ("HandlerRegistry", []),
        (
            "HandlerBuild",
            [
                "CLinux", "COpenSSL", "CommandLineOptions", "EventLoop", "Glibc",
                "HandlerRegistry", "Logging", "Processes",
            ]
        ),
        (
            "launcher",
            [
                "CLinux", "CommandLineOptions", "EventLoop", "Glibc", "HandlerBuild",
                "StandaloneProgram",
            ]
        ),
        ("standalone", ["Glibc", "StandaloneProgram"]),
    ]

    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The Swift files below a folder of the repository, with their lines.
    private static func files(_ folder: String) throws -> [(path: String, lines: [Substring])] {
        let base = root.appending(path: folder)
        let names = try FileManager.default.subpathsOfDirectory(atPath: base.path)
        return try names.filter { $0.hasSuffix(".swift") }.sorted().map { name in
            let text = try String(contentsOf: base.appending(path: name), encoding: .utf8)
            return (
                "\(folder)/\(name)", text.split(separator: "\n", omittingEmptySubsequences: false)
            )
        }
    }

    @Test("a room imports only what lies below it", arguments: rooms)
    func imports(_ name: String, _ allowed: Set<String>) throws {
        let files = try Self.files("Sources/\(name)")
        #expect(!files.isEmpty)
        for file in files {
            for line in file.lines
            where line.hasPrefix("import ") || line.hasPrefix("@_exported import ") {
                let module = String(line.split(separator: " ").last ?? "")
                #expect(allowed.contains(module), "\(file.path) imports \(module)")
            }
        }
    }

    @Test(
        "files under 600 lines, lines under 121 characters",
        arguments: ["Sources", "Tests", "handlers"])
    func lengths(_ folder: String) throws {
        for file in try Self.files(folder) {
            #expect(file.lines.count <= 600, "\(file.path) has \(file.lines.count) lines")
            for (index, line) in file.lines.enumerated() {
                #expect(line.count <= 120, "\(file.path):\(index + 1) has \(line.count) characters")
            }
        }
    }

    /// So that another kernel's event list means to write one folder anew.
    @Test("in EventLoop only Kernel and Tuning import CLinux")
    func kernelInOneFolder() throws {
        for file in try Self.files("Sources/EventLoop")
        where !file.path.contains("/Kernel/") && !file.path.contains("/Tuning/") {
            #expect(!file.lines.contains("import CLinux"), "\(file.path)")
        }
    }

    @Test("what begins with #! can be executed", arguments: ["Sources", "Tests", "handlers"])
    func executable(_ folder: String) throws {
        let base = Self.root.appending(path: folder)
        for name in try FileManager.default.subpathsOfDirectory(atPath: base.path) {
            let path = base.appending(path: name).path
            // Others are read by a script, not run.
            guard !name.contains("."), let file = FileHandle(forReadingAtPath: path) else {
                continue
            }
            defer { try? file.close() }
            guard let start = try? file.read(upToCount: 3), start == Data("#!/".utf8) else {
                continue
            }
            #expect(FileManager.default.isExecutableFile(atPath: path), "\(folder)/\(name)")
        }
    }

    @Test("nothing traps on what came from outside")
    func traps() throws {
        for file in try Self.files("Sources") {
            for (index, line) in file.lines.enumerated() {
                for word in [
                    "try!", " as! ", "fatalError(", "assumeIsolated", "nonisolated(unsafe)",
                ] {
                    #expect(!line.contains(word), "\(file.path):\(index + 1) has \(word)")
                }
            }
        }
    }

    @Test("each @unchecked Sendable says what protects it")
    func unchecked() throws {
        for file in try Self.files("Sources") {
            let text = file.lines.joined(separator: "\n")
            let uses = file.lines.filter {
                $0.contains("@unchecked Sendable") && !$0.contains("///")
            }
            let reasons = text.components(separatedBy: "`@unchecked Sendable`:").count - 1
            #expect(uses.count == reasons, "\(file.path)")
        }
    }

    @Test(
        "public declarations in the API rooms have a doc comment",
        arguments: [
            "Logging", "WebSocketClient", "WebSocketConnection", "WebSocketHost",
            "HTTPServer", "WebSocketHostTesting",
        ])
    func documented(_ room: String) throws {
        for file in try Self.files("Sources/\(room)") {
            for (index, line) in file.lines.enumerated() {
                let code = line.drop { $0 == " " }
                guard
                    code.hasPrefix("public func ") || code.hasPrefix("public struct ")
                        || code.hasPrefix("public enum ") || code.hasPrefix("public final class ")
                else { continue }
                // Requirements of protocols are documented there.
                let inherited = [
                    "func ==", "func hash", "func <", "func next(", "func makeAsyncIterator",
                ]
                if inherited.contains(where: { code.contains($0) }) { continue }
                if code.contains("struct AsyncIterator") { continue }
                var above = index - 1
                while above >= 0, file.lines[above].drop(while: { $0 == " " }).hasPrefix("@") {
                    above -= 1
                }
                let isDocumented =
                    above >= 0 && file.lines[above].drop { $0 == " " }.hasPrefix("///")
                #expect(isDocumented, "\(file.path):\(index + 1)")
            }
        }
    }
}
