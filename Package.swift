// swift-tools-version: 6.2
// The module graph of WebSocketHost: the lines `module(NAME, DEPENDENCIES)` and `program(…)` below
// are the one place where it is written down. A module stands after those it depends on. The
// compiler refuses an arrow that points up; Tests/LayeringTests reads these lines and holds the
// imports and docs/ARCHITECTURE.md to them.
//
// In a plain `swift build` each file of `handlers` is a target of its own, so two files may declare
// the same names; the target `standalone` is little more than the list of them. `standalone.sh` has
// only the library StandaloneServer and the launcher built, and the launcher compiles the author's
// files (see Sources/HandlerBuild). SwiftPM remembers what this file said: after adding or removing
// a handler file, a plain build needs `swift build --manifest-cache none`, until this file changes.

import Foundation
import PackageDescription

// MARK: Handler files

/// A handler file: its path below the handlers directory, and where SwiftPM finds it.
struct HandlerFile {
    let path: String
    let folder: String
    let excluded: [String]
    let sources: [String]
}

// The same lines as in Sources/HandlerRegistry/ModuleName.swift.

/// `echo_wsh.swift` is module `echo_wsh`. A name that is no plain identifier, or lies in a folder,
/// gets its odd characters replaced and a hash of the path, which keeps it unique.
///
/// - Parameter path: below the handlers directory.
func moduleName(of path: String) -> String {
    let name = String(path.dropLast(".swift".count))
    let isPlain =
        name.utf8.count <= 80 && name.first?.isNumber == false
        && name.unicodeScalars.allSatisfy(isIdentifierCharacter)
    if isPlain { return name }
    let readable = name.unicodeScalars.suffix(60).map {
        isIdentifierCharacter($0) ? String($0) : "_"
    }
    return "_" + readable.joined() + "_" + String(hash(of: path), radix: 36)
}

func isIdentifierCharacter(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "_": true
    default: false
    }
}

/// FNV-1a: the same in every run, which `Hasher` is not.
func hash(of text: String) -> UInt64 {
    text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
}

/// All files below `folder`, as relative paths; dot-files and what lies in dot-folders are left
/// out.
func visibleFiles(below folder: String) -> [String] {
    let all = try? FileManager.default.subpathsOfDirectory(
        atPath: Context.packageDirectory + "/" + folder)
    return (all ?? []).filter { path in
        !path.split(separator: "/").contains { $0.hasPrefix(".") }
    }.sorted()
}

func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    let path = Context.packageDirectory + "/" + path
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        && isFolder.boolValue
}

/// The handler files and helper files of `handlers`, as they lie there. SwiftPM warns of every file
/// that a target neither compiles nor excludes, so each target excludes its neighbours.
func ownHandlers() -> (handlers: [HandlerFile], helpers: Target?) {
    let root = "handlers"
    let sources = visibleFiles(below: root).filter {
        $0.hasSuffix(".swift") && !isFolder("\(root)/\($0)")
    }
    func neighbours(of kept: [String], in folder: String) -> [String] {
        let names = try? FileManager.default.contentsOfDirectory(
            atPath: Context.packageDirectory + "/" + folder)
        return (names ?? []).filter { !$0.hasPrefix(".") && !kept.contains($0) }.sorted()
    }
    let handlers = sources.filter { $0.hasSuffix("_wsh.swift") }.map { path in
        let folder = ([root] + path.split(separator: "/").dropLast().map(String.init))
            .joined(separator: "/")
        let name = String(path.split(separator: "/").last!)
        return HandlerFile(
            path: path, folder: folder, excluded: neighbours(of: [name], in: folder),
            sources: [name])
    }
    let helpers = sources.filter { !$0.hasSuffix("_wsh.swift") }
    guard !helpers.isEmpty else { return (handlers, nil) }
    let others = visibleFiles(below: root).filter {
        !helpers.contains($0) && !isFolder("\(root)/\($0)")
    }
    return (handlers, helperTarget(path: root, exclude: others, sources: helpers))
}

// MARK: Targets

let handlerSettings: [SwiftSetting] = [.enableUpcomingFeature("NonisolatedNonsendingByDefault")]
let settings = handlerSettings + [.enableUpcomingFeature("MemberImportVisibility")]

func module(
    _ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []
) -> Target {
    .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

func program(
    _ name: String, _ dependencies: [Target.Dependency], plugins: [Target.PluginUsage] = []
) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies, swiftSettings: settings, plugins: plugins)
}

func test(
    _ name: String, _ dependencies: [Target.Dependency], _ settings: [SwiftSetting] = settings
) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// What handler files and helper files may import.
let handlerModules: [Target.Dependency] = [
    "WebSocketHost", "WebSocketHostJSON", "WebSocketClient", "Subprocesses",
]

func helperTarget(path: String, exclude: [String] = [], sources: [String]? = nil) -> Target {
    .target(
        name: "Shared", dependencies: handlerModules, path: path, exclude: exclude,
        sources: sources, swiftSettings: handlerSettings)
}

/// standalone.sh compiles handler files itself.
let hasHandlers = Context.environment["WEBSOCKETHOST_HANDLERS"] != "none"
let (handlers, helpers) = hasHandlers ? ownHandlers() : ([], nil)
let modules = handlers.map { file in
    Target.target(
        name: moduleName(of: file.path),
        dependencies: handlerModules + (helpers == nil ? [] : ["Shared"]),
        path: file.folder, exclude: file.excluded,
        sources: file.sources, swiftSettings: handlerSettings)
}

/// The folders in Tests; one that is not there yet is left out.
let tests = [
    test("HTTPProtocolTests", ["HTTPProtocol", "TestSupport"]),
    test("WebSocketProtocolTests", ["WebSocketProtocol", "HTTPProtocol", "TestSupport"]),
    test("EventLoopTests", ["EventLoop", "CLinux", "COpenSSL", "LoopTesting", "TestSupport"]),
    test("LoggingTests", ["Logging", "EventLoop", "TestSupport"]),
    test(
        "TopicsTests", ["Topics", "WebSocketProtocol", "EventLoop", "LoopTesting", "TestSupport"]),
    test(
        "TopicBusTests",
        [
            "TopicBus", "Topics", "WebSocketProtocol", "EventLoop", "Logging", "LoopTesting",
            "TestSupport",
        ]),
    test(
        "MetricsTests",
        ["Metrics", "Counting", "Topics", "WebSocketConnection", "TestSupport"]),
    test("ProxiesTests", ["Proxies", "HTTPProtocol", "EventLoop", "TestSupport"]),
    test("ClientLimitsTests", ["ClientLimits", "EventLoop", "Processes", "TestSupport"]),
    test("OffloadingTests", ["Offloading", "EventLoop", "LoopTesting"]),
    test("ProcessesTests", ["Processes", "EventLoop", "LoopTesting", "TestSupport"]),
    test(
        "SubprocessesTests",
        ["Subprocesses", "EventLoop", "LoopTesting"]),
    test(
        "WebSocketHostProgramsTests",
        [
            "WebSocketHostPrograms", "WebSocketHost", "WebSocketClient", "WebSocketProtocol",
            "EventLoop",
        ]),
    test("WebSocketConnectionTests", ["WebSocketConnection", "WebSocketProtocol", "TestSupport"]),
    test(
        "HTTPServerTests",
        ["HTTPServer", "HTTPProtocol", "EventLoop", "Logging", "LoopTesting", "TestSupport"]),
    test(
        "WebSocketHostTests",
        ["WebSocketHost", "HTTPServer", "HTTPProtocol", "EventLoop", "TestSupport"]),
    test(
        "ServerTests",
        [
            "WebSocketHost", "Topics", "WebSocketProtocol", "HTTPProtocol", "EventLoop",
            "LoopTesting", "TestSupport",
        ]),
    test(
        "WebSocketClientTests",
        [
            "WebSocketClient", "WebSocketHost", "WebSocketProtocol", "HTTPProtocol", "EventLoop",
            "TestSupport",
        ]),
    test("WebSocketHostTestingTests", ["WebSocketHostTesting", "WebSocketHost"], handlerSettings),
    test(
        "WebSocketHostJSONTests",
        ["WebSocketHost", "WebSocketHostJSON", "WebSocketHostTesting", "TestSupport"],
        handlerSettings),
    test("FuzzSeedTests", ["WebSocketProtocol", "HTTPProtocol", "TopicBus", "TestSupport"]),
    test("SupervisorTests", ["Supervisor", "EventLoop", "Logging", "TestSupport"]),
    test("CommandLineOptionsTests", ["CommandLineOptions"]),
    test(
        "StandaloneProgramTests",
        [
            "StandaloneProgram", "CommandLineOptions", "HandlerBuild", "WebSocketHost",
            "EventLoop",
        ]),
    test(
        "ClientTests",
        [
            "client", "CommandLineOptions", "EventLoop", "HTTPProtocol", "WebSocketClient",
            "WebSocketProtocol",
        ]),
    test(
        "HandlerBuildTests",
        ["CommandLineOptions", "HandlerBuild", "HandlerRegistry", "EventLoop", "TestSupport"]),
    test(
        "OwnerCommandsTests",
        [
            "OwnerCommands", "CommandLineOptions", "EventLoop", "HTTPProtocol", "Processes",
            "TestSupport",
        ]),
    test("LayeringTests", []),
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: settings),
    .target(
        name: "LoopTesting", dependencies: ["EventLoop"], path: "Tests/LoopTesting",
        swiftSettings: settings),
].filter { isFolder("Tests/\($0.name)") }

let handlerTests =
    hasHandlers && isFolder("Tests/HandlerTests")
    ? [
        test(
            "HandlerTests",
            ["WebSocketHostTesting", "WebSocketHost", "WebSocketHostJSON"]
                + (helpers == nil ? [] : ["Shared"])
                + modules.map { .target(name: $0.name) },
            handlerSettings)
    ] : []

let package = Package(
    name: "WebSocketHost",
    products: [
        .library(name: "WebSocketHost", targets: ["WebSocketHost"]),
        .library(
            name: "WebSocketHostPrograms", targets: ["WebSocketHostPrograms", "Subprocesses"]),
        .library(name: "WebSocketClient", targets: ["WebSocketClient"]),
        .library(name: "WebSocketHostJSON", targets: ["WebSocketHostJSON"]),
        .library(name: "WebSocketHostTesting", targets: ["WebSocketHostTesting"]),
        .library(
            name: "StandaloneServer", type: .static,
            targets: [
                "StandaloneProgram", "WebSocketHost", "WebSocketHostJSON", "WebSocketHostPrograms",
                "WebSocketClient",
            ]),
        .plugin(name: "RegistryPlugin", targets: ["RegistryPlugin"]),
    ],
    targets: [
        .systemLibrary(name: "CLinux", path: "Sources/CLinux"),
        .systemLibrary(name: "CSwiftTasks", path: "Sources/CSwiftTasks"),
        .systemLibrary(
            name: "CCrypt", path: "Sources/CCrypt", pkgConfig: "libcrypt",
            providers: [.apt(["libcrypt-dev"]), .yum(["libxcrypt-devel"])]),
        .systemLibrary(
            name: "COpenSSL", path: "Sources/COpenSSL", pkgConfig: "openssl",
            providers: [.apt(["libssl-dev"]), .yum(["openssl-devel"])]),
        .systemLibrary(
            name: "CZlib", path: "Sources/CZlib", pkgConfig: "zlib",
            providers: [.apt(["zlib1g-dev"]), .yum(["zlib-devel"])]),
        module("HTTPProtocol"),
        module("WebSocketProtocol", ["HTTPProtocol", "COpenSSL", "CZlib"]),
        module("EventLoop", ["CLinux", "COpenSSL"]),
        module("Logging", ["EventLoop"]),
        module("Processes", ["EventLoop", "CLinux"]),
        module("Subprocesses", ["EventLoop", "Processes"]),
        module("Proxies", ["HTTPProtocol", "EventLoop"]),
        module("ClientLimits", ["EventLoop"]),
        module("Offloading", ["EventLoop"]),
        module("Counting"),
        module(
            "HTTPServer",
            ["HTTPProtocol", "EventLoop", "Logging", "Processes", "CCrypt", "COpenSSL"]),
        module(
            "WebSocketConnection",
            [
                "HTTPProtocol", "WebSocketProtocol", "EventLoop", "Logging", "Counting",
                "CSwiftTasks",
            ]),
        module("Topics", ["WebSocketProtocol", "EventLoop", "Counting"]),
        module("TopicBus", ["WebSocketProtocol", "EventLoop", "Logging", "Topics"]),
        module("Metrics", ["Counting", "Topics", "WebSocketConnection"]),
        module(
            "WebSocketHost",
            [
                "HTTPProtocol", "WebSocketProtocol", "EventLoop", "Logging", "Processes", "Proxies",
                "ClientLimits", "Offloading", "Counting", "Topics", "HTTPServer",
                "WebSocketConnection", "Metrics",
            ]),
        module(
            "WebSocketHostJSON",
            ["WebSocketProtocol", "Topics", "WebSocketConnection", "WebSocketHost"]),
        module(
            "WebSocketHostPrograms",
            [
                "HTTPProtocol", "WebSocketProtocol", "EventLoop", "Processes", "Subprocesses",
                "WebSocketHost",
            ]),
        module(
            "WebSocketHostTesting",
            ["HTTPProtocol", "WebSocketProtocol", "EventLoop", "WebSocketHost"]),
        module(
            "WebSocketClient",
            ["HTTPProtocol", "WebSocketProtocol", "EventLoop", "WebSocketConnection"]),
        module("CommandLineOptions", ["WebSocketProtocol", "Logging"]),
        program(
            "client",
            [
                "HTTPProtocol", "WebSocketProtocol", "EventLoop", "Logging", "Processes",
                "WebSocketClient", "CommandLineOptions",
            ]),
        module(
            "OwnerCommands",
            ["HTTPProtocol", "EventLoop", "Logging", "Processes", "CommandLineOptions"]),
        module("HandlerRegistry"),
        module(
            "HandlerBuild",
            [
                "EventLoop", "Logging", "Processes", "CommandLineOptions", "HandlerRegistry",
                "CLinux", "COpenSSL",
            ]),
        module("Supervisor", ["EventLoop", "Logging", "Processes", "HandlerBuild"]),
        module(
            "StandaloneProgram",
            [
                "HTTPProtocol", "WebSocketProtocol", "EventLoop", "Logging", "Processes", "Proxies",
                "ClientLimits",
                "Subprocesses", "TopicBus", "Metrics", "WebSocketHost", "WebSocketHostPrograms",
                "CommandLineOptions",
                "HandlerRegistry", "HandlerBuild", "Supervisor",
            ], exclude: ["help.txt"]),
        program(
            "standalone",
            ["WebSocketHost", "StandaloneProgram"] + modules.map { .target(name: $0.name) },
            plugins: ["RegistryPlugin"]),
        program(
            "launcher",
            [
                "EventLoop", "Processes", "CommandLineOptions", "OwnerCommands", "HandlerBuild",
                "StandaloneProgram", "CLinux",
            ]),
        program("RegistryGenerator", ["HandlerRegistry"]),
        .plugin(
            name: "RegistryPlugin", capability: .buildTool(), dependencies: ["RegistryGenerator"],
            path: "Sources/RegistryPlugin"),
    ] + tests + handlerTests + modules + [helpers].compactMap(\.self),
    swiftLanguageModes: [.v6])
