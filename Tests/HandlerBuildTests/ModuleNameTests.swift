import Foundation
import HandlerRegistry
import TestSupport
import Testing

@Suite("Names of modules")
struct ModuleNameTests {
    @Test("a plain name stays as it is")
    func plain() { #expect(moduleName(of: "echo_wsh.swift") == "echo_wsh") }

    @Test(
        "others become identifiers",
        arguments: ["2fast", "sub/echo", "日本", "a b", "it's", #"a"b"#, #"a\b"#, "$(x)", "", "é"])
    func identifier(_ name: String) {
        let module = moduleName(of: name + "_wsh.swift")
        #expect(module.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") })
        #expect(module.first?.isNumber == false)
    }

    @Test("two paths never have one name")
    func unique() {
        let paths = ["a-b", "a_b", "a b", "a/b", "a,b", "é", "e\u{301}"].map { "\($0)_wsh.swift" }
        #expect(Set(paths.map(moduleName)).count == paths.count)
    }

    @Test("a long name has an end")
    func long() {
        let name = moduleName(of: String(repeating: "x", count: 250) + "_wsh.swift")
        #expect(name.count < 80)
    }

    @Test("Package.swift has the same rule")
    func package() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let mine = try String(
            contentsOf: root.appending(path: "Sources/HandlerRegistry/ModuleName.swift"),
            encoding: .utf8)
        let package = try String(
            contentsOf: root.appending(path: "Package.swift"), encoding: .utf8)
        let start = try #require(mine.firstRange(of: "/// `echo_wsh.swift` is module"))
        let rule = mine[start.lowerBound...].replacing("package func", with: "func")
        #expect(package.contains(rule))
    }
}
