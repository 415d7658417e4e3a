// swift-tools-version: 6.2
// A package that has WebSocketHost in it: `files` serves a directory of handler files, `routes`
// serves values, and ChatTests tests one in memory. See docs/EMBEDDING.md. `run` copies the package,
// and adds to the copy the Swift code of all documents, in folders of `Documents`.

import Foundation
import PackageDescription

let host: Target.Dependency = .product(name: "WebSocketHost", package: "WebSocketHost")

// A module for each handler file, as standalone.sh has it: two may declare the same names.
let folder = "handlers"
let files = try FileManager.default.contentsOfDirectory(
    atPath: Context.packageDirectory + "/" + folder
)
.filter { $0.hasSuffix("_wsh.swift") }.sorted()
let handlers = files.map { file in
    Target.target(
        name: String(file.dropLast(".swift".count)), dependencies: [host], path: folder,
        exclude: files.filter { $0 != file }, sources: [file])
}

/// What stands in the documents, a target for each: programs, parts of programs, and tests. All of
/// them may use every product, and the handler files above.
@MainActor func documents() -> [Target] {
    let products = ["WebSocketClient", "WebSocketHostJSON", "WebSocketHostTesting"]
    let dependencies =
        [host, "CSQLite"] + products.map { .product(name: $0, package: "WebSocketHost") }
        + handlers.map { .target(name: $0.name) }
    let folders = try? FileManager.default.contentsOfDirectory(
        atPath: Context.packageDirectory + "/Documents")
    return (folders ?? []).sorted().map { name in
        let path = "Documents/" + name
        if name.hasSuffix("Tests") {
            return .testTarget(name: name, dependencies: dependencies, path: path)
        }
        if name.hasSuffix("Program") {
            return .executableTarget(
                name: name, dependencies: dependencies, path: path,
                plugins: [.plugin(name: "RegistryPlugin", package: "WebSocketHost")])
        }
        return .target(name: name, dependencies: dependencies, path: path)
    }
}

let package = Package(
    name: "Embedding",
    dependencies: [
        .package(
            name: "WebSocketHost", path: Context.environment["WEBSOCKETHOST_CHECKOUT"] ?? "../..")
    ],
    targets: [
        .executableTarget(
            name: "files", dependencies: [host] + handlers.map { .target(name: $0.name) },
            plugins: [.plugin(name: "RegistryPlugin", package: "WebSocketHost")]),
        .target(name: "Chat", dependencies: [host]),
        .systemLibrary(
            name: "CSQLite", path: "Sources/CSQLite", providers: [.apt(["libsqlite3-dev"])]),
        .executableTarget(name: "routes", dependencies: [host, "Chat"]),
        .executableTarget(name: "restarts", dependencies: [host, "Chat"]),
        .testTarget(
            name: "ChatTests",
            dependencies: [
                "Chat", .product(name: "WebSocketHostTesting", package: "WebSocketHost"),
            ]),
    ] + handlers + documents(),
    swiftLanguageModes: [.v6])
