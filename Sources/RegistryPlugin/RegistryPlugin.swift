import Foundation
import PackagePlugin

/// Runs RegistryGenerator over the handler modules that a target depends on: `standalone` here, and
/// a target of another package that has this one in it (docs/EMBEDDING.md).
@main
struct RegistryPlugin: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: Target) throws -> [Command] {
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

    private func isHandler(_ file: URL) -> Bool { file.lastPathComponent.hasSuffix("_wsh.swift") }

    /// The folder that routes are relative to.
    private func root(of package: Package) -> String {
        package.directoryURL.appending(path: "handlers").path(percentEncoded: false)
    }
}
