// Writes Registry.swift, the list of all handlers, for the target that uses RegistryPlugin.
//
//   RegistryGenerator Registry.swift ROOT (MODULE FILE)…
//
// FILE lies below ROOT; its path there is its route.

import Foundation
import HandlerRegistry

let arguments = Array(CommandLine.arguments.dropFirst())
guard arguments.count >= 2, arguments.count.isMultiple(of: 2) else {
    print("usage: RegistryGenerator REGISTRY ROOT (MODULE FILE)…")
    exit(2)
}
let text = RegistrySource.list(
    stride(from: 2, to: arguments.count, by: 2).map { index in
        let file = arguments[index + 1]
        let path = file.utf8.dropFirst(arguments[1].utf8.count).drop { $0 == UInt8(ascii: "/") }
        return .init(
            path: String(decoding: path, as: UTF8.self),
            source: .module(arguments[index], file: file))
    })
// Left alone when nothing changed: a new date would compile `standalone` again.
if (try? String(contentsOfFile: arguments[0], encoding: .utf8)) != text {
    try text.write(toFile: arguments[0], atomically: true, encoding: .utf8)
}
