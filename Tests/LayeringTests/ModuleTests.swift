import Testing

/// Holds the sources and docs/ARCHITECTURE.md to the graph of modules in Package.swift.
@Suite("Modules, arrows down")
struct ModuleTests {
    /// What may be imported beside the dependencies in Package.swift.
    private static func systemModules(_ module: String) -> Set<String> {
        switch module {
        // Values without I/O: the compiler's own library, and nothing of the system.
        case "HTTPProtocol", "WebSocketProtocol": []
        // It runs while the package is built, and is no part of a server.
        case "RegistryGenerator": ["Foundation"]
        default: ["Glibc", "Synchronization"]
        }
    }

    private static let importedElsewhere: [String: Set<String>] = [
        // By the generated list of handlers, which belongs to `standalone`.
        "standalone": ["WebSocketHost"]
    ]

    private let graph: ModuleGraph

    init() throws {
        graph = try ModuleGraph()
        try #require(
            graph.modules.count > 10, "Package.swift is not written as ModuleGraph reads it")
    }

    @Test("a module stands after those it depends on")
    func order() {
        var known = graph.systemLibraries
        for module in graph.modules {
            for dependency in module.dependencies {
                #expect(
                    known.contains(dependency),
                    "Package.swift: \(module.name) stands before \(dependency)")
            }
            known.insert(module.name)
        }
    }

    @Test("a module imports what it declares, and nothing else")
    func imports() throws {
        for module in graph.modules {
            let allowed = module.dependencies.union(Self.systemModules(module.name))
            var imported: Set<String> = []
            for file in try Repository.swiftFiles("Sources/\(module.name)") {
                for name in file.lines.compactMap(Self.importedModule) {
                    #expect(
                        allowed.contains(name),
                        "\(file.path) imports \(name), which Package.swift does not name for it")
                    imported.insert(name)
                }
            }
            let unused = module.dependencies.subtracting(imported)
                .subtracting(Self.importedElsewhere[module.name] ?? [])
            #expect(
                unused.isEmpty, "Package.swift: \(module.name) does not import \(unused.sorted())")
        }
    }

    /// The module of a line `import X`, `@_exported import X`, `public import X`.
    private static func importedModule(_ line: Substring) -> String? {
        let words = line.split(separator: " ")
        guard let word = line.first, word == "@" || word.isLetter, words.count >= 2,
            words[words.count - 2] == "import"
        else { return nil }
        return String(words[words.count - 1])
    }

    /// Another kernel's event list then needs changes in one folder only.
    @Test("in EventLoop only Kernel and Tuning import CLinux")
    func kernelInOneFolder() throws {
        for file in try Repository.swiftFiles("Sources/EventLoop")
        where !file.path.contains("/Kernel/") && !file.path.contains("/Tuning/") {
            #expect(!file.lines.contains("import CLinux"), "\(file.path)")
        }
    }

    @Test("docs/ARCHITECTURE.md lists each module, what it uses, and where to begin")
    func architecture() throws {
        let page = "docs/ARCHITECTURE.md"
        let rows = try Repository.tableRows(page, under: "## The modules, in reading order")
        var described: [String] = []
        for row in rows {
            guard row.count == 4, let name = Repository.quoted(row[0]).first else {
                Issue.record(
                    "\(page): a row is | `Module` | `Used`, `Modules` | what | `File.swift` |")
                continue
            }
            described.append(name)
            guard let module = graph.modules.first(where: { $0.name == name }) else {
                Issue.record("\(page): Package.swift has no module \(name)")
                continue
            }
            let used = module.dependencies.subtracting(graph.systemLibraries)
            #expect(
                Set(Repository.quoted(row[1])) == used,
                "\(page): \(name) uses \(used.sorted().joined(separator: ", "))")
            for file in Repository.quoted(row[3]) {
                #expect(
                    Repository.exists("Sources/\(name)/\(file)"),
                    "\(page): there is no Sources/\(name)/\(file)")
            }
        }
        for module in graph.modules {
            #expect(
                described.count { $0 == module.name } == 1,
                "\(page) needs one row for \(module.name), below 'The modules, in reading order'")
        }
    }

    @Test("the calls of a manifest, however they are wrapped")
    func manifest() {
        let graph = ModuleGraph(
            manifest: """
                func module(_ name: String) {}
                let package = Package(
                    targets: [
                        .systemLibrary(name: "CZ", path: "Sources/CZ"),
                        module("A", exclude: ["a.txt"]),
                        module(
                            "B",
                            ["A", "CZ"]),
                        program("c", ["B"] + more.map { .target(name: $0.name) }, plugins: ["P"]),
                    ] + tests)
                """)
        #expect(graph.systemLibraries == ["CZ"])
        #expect(graph.modules.map(\.name) == ["A", "B", "c"])
        #expect(graph.modules.map(\.isProgram) == [false, false, true])
        #expect(graph.modules.map(\.dependencies) == [[], ["A", "CZ"], ["B"]])
    }
}
