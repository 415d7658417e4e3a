import Foundation
import TestSupport
import Testing

@testable import HandlerBuild

@Suite("Options of the compiler")
struct CompilerOptionsTests {
    /// As `HandlerModules` does: a module and an object file, both named.
    @Test("the compiler takes those of both modes", arguments: ["release", "debug"])
    func modes(_ mode: String) throws {
        let folder = try TemporaryFiles.makeFolder()
        let runner = CommandRunner(
            environment: ProcessInfo.processInfo.environment.map { "\($0)=\($1)" },
            cancellation: try Cancellation())
        let toolchain = try Toolchain(runner, log: folder + "/version")
        let library = ServerLibrary(
            identity: "", folder: folder, runtime: nil, compilerFlags: [], linkerFlags: [])
        let options = CompilerOptions(
            try Checkout(path: folder, mode: mode), library, isStandalone: false)
        try FileSystem.write("public let answer = 42\n", to: folder + "/a.swift")
        let command = Command(
            arguments: [toolchain.compiler] + options.handler + [
                "-module-name", "a", "-whole-module-optimization", "-emit-module",
                "-emit-module-path", folder + "/a.swiftmodule", "-c", folder + "/a.swift", "-o",
                folder + "/a.o",
            ], log: folder + "/log")
        let isCompiled = try runner.run(command)
        #expect(isCompiled, "\(FileSystem.text(folder + "/log") ?? "")")
        #expect(FileSystem.isFile(folder + "/a.o"))
    }
}
