import Foundation
import Testing

/// Reads the sources as text and holds them to the rules that no compiler checks.
@Suite("Rules of the sources")
struct SourceRuleTests {
    /// Files with the text of other files in them, which would be harder to read when wrapped.
    static let filesWithLongLines: Set<String> = [
        "Sources/HandlerBuild/HandlerTemplate.swift",
        "Sources/WebSocketHost/IndexPageAssets+Script.swift",
        "Sources/WebSocketHost/IndexPageAssets+Topics.swift",
        "Sources/WebSocketHost/IndexPageAssets.swift",
    ]

    /// Longer than `lineLimit`, and to be divided: this list only becomes shorter.
    static let longFiles: Set<String> = [
        "Tests/EventLoopTests/LoopTests.swift",
        "Tests/HTTPProtocolTests/RequestHeadParserTests.swift",
        "Tests/HandlerBuildTests/CompilerMessagesTests.swift",
        "Tests/ServerTests/ClosingTests.swift",
        "Tests/ServerTests/EndingTests.swift",
        "Tests/ServerTests/HandshakeTests.swift",
        "Tests/ServerTests/WaitTests.swift",
        "Tests/WebSocketProtocolTests/Compression/CompressedSendingTests.swift",
        "Tests/WebSocketProtocolTests/Compression/CompressedSessionTests.swift",
        "Tests/WebSocketProtocolTests/OpeningHandshakeTests.swift",
        "Tests/WebSocketProtocolTests/SessionTests.swift",
    ]
    static let lineLimit = 300
    /// `lineLength` of .swift-format.
    static let columnLimit = 100

    @Test("files of at most 300 lines", arguments: ["Sources", "Tests", "handlers"])
    func fileLengths(_ folder: String) throws {
        for file in try Repository.swiftFiles(folder) where !Self.longFiles.contains(file.path) {
            // The last line ends with a newline, behind which nothing stands.
            #expect(
                file.lines.count - 1 <= Self.lineLimit,
                "\(file.path) has \(file.lines.count - 1) lines: divide it by subject")
        }
    }

    @Test("lines of at most 100 columns", arguments: ["Sources", "Tests", "handlers"])
    func lineLengths(_ folder: String) throws {
        for file in try Repository.swiftFiles(folder)
        where !Self.filesWithLongLines.contains(file.path) {
            for (index, line) in file.lines.enumerated() {
                // The formatter does not count a comma at the end.
                let columns = line.hasSuffix(",") ? line.count - 1 : line.count
                #expect(
                    columns <= Self.columnLimit, "\(file.path):\(index + 1) has \(columns) columns")
            }
        }
    }

    @Test("a type's name is used once, and A+B.swift extends A")
    func names() throws {
        var files: [String: String] = [:]
        for file in try Repository.swiftFiles("Sources") {
            for name in file.lines.compactMap(Self.declaredType) {
                #expect(files[name] == nil, "\(file.path) and \(files[name] ?? "") declare \(name)")
                files[name] = file.path
            }
            let parts = file.path.split(separator: "/").last?.split(separator: "+") ?? []
            guard parts.count > 1 else { continue }
            #expect(
                file.lines.contains { $0.contains("extension \(parts[0])") },
                "\(file.path) does not extend \(parts[0])")
        }
    }

    /// The type that a line declares at the top level, for other files to see.
    private static func declaredType(_ line: Substring) -> String? {
        let words = line.split { " :<({".contains($0) }.map(String.init)
        let kinds: Set = ["struct", "class", "enum", "actor", "protocol"]
        guard line.first?.isLetter == true, words.first?.hasSuffix("private") == false,
            let kind = words.firstIndex(where: kinds.contains), words.indices.contains(kind + 1),
            words[..<kind].allSatisfy({ ["public", "package", "final", "indirect"].contains($0) })
        else { return nil }
        return words[kind + 1]
    }

    @Test("what begins with #! can be executed", arguments: ["Sources", "Tests", "handlers"])
    func executable(_ folder: String) throws {
        let base = Repository.root.appending(path: folder)
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
        for file in try Repository.swiftFiles("Sources") {
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
        for file in try Repository.swiftFiles("Sources") {
            let text = file.lines.joined(separator: "\n")
            let uses = file.lines.filter {
                $0.contains("@unchecked Sendable") && !$0.contains("///")
            }
            let reasons = text.components(separatedBy: "`@unchecked Sendable`:").count - 1
            #expect(uses.count == reasons, "\(file.path)")
        }
    }

    /// The modules whose declarations an embedder sees. Some of them may not be there.
    static let publicModules: Set<String> = [
        "HTTPServer", "Logging", "WebSocketConnection", "WebSocketHost", "WebSocketHostTesting",
        "WebSocketClient",
    ]

    /// Requirements of protocols, which are documented there.
    static let inherited = [
        "func ==", "func hash", "func <", "func next(", "func makeAsyncIterator",
        "struct AsyncIterator",
    ]

    @Test("public declarations that an embedder sees have a doc comment")
    func documented() throws {
        for module in try ModuleGraph().modules where Self.publicModules.contains(module.name) {
            for file in try Repository.swiftFiles("Sources/\(module.name)") {
                for (index, line) in file.lines.enumerated() where Self.needsComment(line) {
                    let above = file.lines[..<index].last {
                        !$0.drop { $0 == " " }.hasPrefix("@")
                    }
                    let isDocumented = above?.drop { $0 == " " }.hasPrefix("///") ?? false
                    #expect(isDocumented, "\(file.path):\(index + 1) has no doc comment")
                }
            }
        }
    }

    private static func needsComment(_ line: Substring) -> Bool {
        let code = line.drop { $0 == " " }
        return ["func", "struct", "enum", "final class"].contains {
            code.hasPrefix("public \($0) ")
        } && !inherited.contains { code.contains($0) }
    }
}
