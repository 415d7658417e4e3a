// swift-tools-version: 6.2
// A package that has WebSocketHost in it: `files` serves a directory of handler files, `routes`
// serves values, and ChatTests tests one in memory. See docs/EMBEDDING.md.

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

let package = Package(
    name: "Embedding",
    dependencies: [.package(name: "WebSocketHost", path: "../..")],
    targets: [
        .executableTarget(
            name: "files", dependencies: [host] + handlers.map { .target(name: $0.name) },
            plugins: [.plugin(name: "RegistryPlugin", package: "WebSocketHost")]),
        .target(name: "Chat", dependencies: [host]),
        .executableTarget(name: "routes", dependencies: [host, "Chat"]),
        .executableTarget(name: "restarts", dependencies: [host, "Chat"]),
        .testTarget(
            name: "ChatTests",
            dependencies: [
                "Chat", .product(name: "WebSocketHostTesting", package: "WebSocketHost"),
            ]),
    ] + handlers,
    swiftLanguageModes: [.v6])
