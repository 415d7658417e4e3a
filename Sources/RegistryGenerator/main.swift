// Writes Registry.swift, the list of all handlers, for the target that uses RegistryPlugin.
//
//   RegistryGenerator Registry.swift ROOT (MODULE FILE)…
//
// FILE lies below ROOT; its path there is its route. In a folder that standalone.sh prepared
// (Sources/StandaloneBuild/prepare.sh) the file `sub/echo_wsh.swift` is a folder, and FILE is
// `handler.swift` in it; where that did not compile, it is a stand-in that begins with `// left
// out` and exports `failure`.

import Foundation

struct Entry {
    let module: String
    let file: String
    let path: String
    let isLeftOut: Bool

    var route: String { "/" + path.dropLast("_wsh.swift".count) }
    var isCopy: Bool { file.hasSuffix("_wsh.swift/handler.swift") }
}

/// A Swift string literal.
func literal(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\\", "\"": result += "\\\(scalar)"
        case "\0"..<" ": result += "\\u{\(String(scalar.value, radix: 16))}"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}

func entry(module: String, file: String, root: String) throws -> Entry {
    let text = try Data(contentsOf: URL(filePath: file))
    var path = file.utf8.dropFirst(root.utf8.count).drop { $0 == UInt8(ascii: "/") }
    if file.hasSuffix("_wsh.swift/handler.swift") {
        path = path.dropLast("/handler.swift".utf8.count)
    }
    return Entry(
        module: module, file: file, path: String(decoding: path, as: UTF8.self),
        isLeftOut: text.starts(with: "// left out".utf8))
}

/// The text of Registry.swift: one function per handler, since a single literal of a thousand
/// entries is slow to type-check.
func registry(of entries: [Entry]) -> String {
    var text = "// Written by RegistryGenerator.\nimport WebSocketHost\n"
    text += entries.map { "import \($0.module)\n" }.joined()
    var named: Set<Substring> = []
    for (index, entry) in entries.enumerated() {
        text += "\n// \(entry.path)\nprivate func registration\(index)() -> Registration {\n"
        // A module without `handler` is an error in the author's file. (Beside a copy, export.swift
        // sees to that. Two files of one name would be one `#fileID`, of which the compiler warns.)
        let name = entry.path.split(separator: "/").last ?? ""
        let isLocated = !entry.isCopy && named.insert(name).inserted
        if isLocated { text += "#sourceLocation(file: \(literal(entry.file)), line: 1)\n" }
        let what = entry.isLeftOut ? "failure" : "handler"
        text += "Registration(route: \(literal(entry.route)), source: \(literal(entry.path)), "
        text += "\(what): \(entry.module).\(what))\n"
        if isLocated { text += "#sourceLocation()\n" }
        text += "}\n"
    }
    text += "\nlet registrations: [Registration] = [\n"
    text += entries.indices.map { "    registration\($0)(),\n" }.joined()
    return text + "]\n"
}

let arguments = Array(CommandLine.arguments.dropFirst())
guard arguments.count >= 2, arguments.count.isMultiple(of: 2) else {
    print("usage: RegistryGenerator REGISTRY ROOT (MODULE FILE)…")
    exit(2)
}
let entries = try stride(from: 2, to: arguments.count, by: 2).map { index in
    try entry(module: arguments[index], file: arguments[index + 1], root: arguments[1])
}
let text = registry(of: entries)
// Left alone when nothing changed: a new date would compile `standalone` again.
if (try? String(contentsOfFile: arguments[0], encoding: .utf8)) != text {
    try text.write(toFile: arguments[0], atomically: true, encoding: .utf8)
}
