import Foundation

/// The modules and their dependencies, read from the lines `module(…)` and `program(…)` of
/// Package.swift, in the order in which they stand there.
struct ModuleGraph {
    struct Module {
        let name: String
        let isProgram: Bool
        /// Other modules, and the C libraries of `.systemLibrary`.
        let dependencies: Set<String>
    }

    let modules: [Module]
    let systemLibraries: Set<String>

    init() throws { self.init(manifest: try Repository.text("Package.swift")) }

    init(manifest: String) {
        // Only the argument `targets:` of the package; the helper functions stand before it.
        let targets = manifest[
            (manifest.range(of: "targets: [\n")?.upperBound ?? manifest.endIndex)...]
        var modules: [Module] = []
        var systemLibraries: Set<String> = []
        for (call, arguments) in Self.calls(in: targets) {
            // What follows these labels is not imported.
            let end = ["plugins:", "exclude:"].compactMap { arguments.range(of: $0)?.lowerBound }
                .min()
            let names = Self.strings(in: arguments[..<(end ?? arguments.endIndex)])
            guard let name = names.first else { continue }
            if call == ".systemLibrary" {
                systemLibraries.insert(name)
            } else {
                modules.append(
                    Module(
                        name: name, isProgram: call == "program",
                        dependencies: Set(names.dropFirst())))
            }
        }
        self.modules = modules
        self.systemLibraries = systemLibraries
    }

    private static let callNames = ["module", "program", ".systemLibrary"]

    /// The calls at the beginning of a line, each with the text between its parentheses.
    private static func calls(in text: Substring) -> [(name: String, arguments: Substring)] {
        text.split(separator: "\n").compactMap { line in
            let code = line.drop { $0 == " " }
            guard let name = callNames.first(where: { code.hasPrefix($0 + "(") }) else {
                return nil
            }
            let start = text.index(code.startIndex, offsetBy: name.count + 1)
            var depth = 1
            let end = text[start...].firstIndex { character in
                if character == "(" { depth += 1 }
                if character == ")" { depth -= 1 }
                return depth == 0
            }
            return (name, text[start..<(end ?? text.endIndex)])
        }
    }

    private static func strings(in text: Substring) -> [String] {
        text.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }.map { String($0.element) }
    }
}
