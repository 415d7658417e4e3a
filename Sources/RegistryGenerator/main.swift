// Writes Registry.swift, the list of all handlers, for the target that uses RegistryPlugin.
//
//   RegistryGenerator Registry.swift ROOT (MODULE FILE)…
//
// FILE lies below ROOT; its path there is its route. In a folder that standalone.sh prepared
// (Sources/StandaloneBuild/prepare.sh) the file `sub/echo_wsh.swift` is a folder, and FILE is
// `handler.swift` in it; where that did not compile, it is a stand-in.

import Foundation
import HandlerRegistry

func entry(module: String, file: String, root: String) throws -> RegistrySource.Entry {
    let text = try Data(contentsOf: URL(filePath: file))
    var path = file.utf8.dropFirst(root.utf8.count).drop { $0 == UInt8(ascii: "/") }
    let isCopy = file.hasSuffix("_wsh.swift/handler.swift")
    if isCopy { path = path.dropLast("/handler.swift".utf8.count) }
    // Beside a copy, export.swift reports a module without `handler`.
    return RegistrySource.Entry(
        module: module, path: String(decoding: path, as: UTF8.self),
        reportedAt: isCopy ? nil : file,
        isLeftOut: text.starts(with: RegistrySource.standInMark.utf8))
}

let arguments = Array(CommandLine.arguments.dropFirst())
guard arguments.count >= 2, arguments.count.isMultiple(of: 2) else {
    print("usage: RegistryGenerator REGISTRY ROOT (MODULE FILE)…")
    exit(2)
}
let entries = try stride(from: 2, to: arguments.count, by: 2).map { index in
    try entry(module: arguments[index], file: arguments[index + 1], root: arguments[1])
}
let text = RegistrySource.text(entries)
// Left alone when nothing changed: a new date would compile `standalone` again.
if (try? String(contentsOfFile: arguments[0], encoding: .utf8)) != text {
    try text.write(toFile: arguments[0], atomically: true, encoding: .utf8)
}
