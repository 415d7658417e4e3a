import Foundation
import PackagePlugin

/// Runs RegistryGenerator over the handler modules that a target depends on: `standalone` here, and
/// a target of another package that has this one in it (docs/EMBEDDING.md).
@main
struct RegistryPlugin: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: Target) throws -> [Command] {
        // A handler is `…_wsh.swift`, or `…_wsh.swift/handler.swift` as standalone.sh prepares it.
        var arguments: [String] = []
        var files: [URL] = []
        for case .target(let module) in target.dependencies {
            guard let file = module.sourceModule?.sourceFiles.map(\.url).first(where: isHandler)
            else { continue }
            arguments += [module.name, file.path(percentEncoded: false)]
            files.append(file)
        }
        let registry = context.pluginWorkDirectoryURL.appending(path: "Registry.swift")
        return [
            .buildCommand(
                displayName: "Registering \(files.count) handlers",
                executable: try context.tool(named: "RegistryGenerator").url,
                arguments: [registry.path(percentEncoded: false), root(of: context.package)]
                    + arguments,
                inputFiles: files, outputFiles: [registry])
        ]
    }

    private func isHandler(_ file: URL) -> Bool {
        let file =
            file.lastPathComponent == "handler.swift" ? file.deletingLastPathComponent() : file
        return file.lastPathComponent.hasSuffix("_wsh.swift")
    }

    /// The folder the routes are relative to, `handlers` of any package; our Package.swift has the
    /// same choice to make.
    private func root(of package: Package) -> String {
        let isOurs = package.displayName == "WebSocketHost"
        let prepared = isOurs ? ProcessInfo.processInfo.environment["WEBSOCKETHOST_HANDLERS"] : nil
        let folder = prepared.map { $0 + "/modules" } ?? "handlers"
        return package.directoryURL.appending(path: folder).path(percentEncoded: false)
    }
}
