import CommandLineOptions
import TestSupport
import Testing

@testable import HandlerBuild

@Suite("The command build, and what the build knows of the server")
struct DeliveryTests {
    @Test(
        "takes its own options and leaves a start's",
        arguments: [
            ["-o", "x", "-w", "d"], ["-ox", "-w", "d"], ["--output=x", "-w", "d"],
            ["-w", "d", "--output", "x"],
        ])
    func arguments(_ arguments: [String]) throws {
        #expect(try Delivery(arguments).rest == ["-w", "d"])
    }

    @Test("needs a file", arguments: [[], ["-o"], ["-w", "d"], ["-o", ""]])
    func missing(_ arguments: [String]) {
        #expect(throws: UsageError.self) { try Delivery(arguments) }
    }

    @Test("which can be written", arguments: ["/", "/proc/none/x"])
    func impossible(_ target: String) {
        #expect(throws: BuildError.self) { try Delivery(["-o", target]) }
    }

    @Test("broken handlers only if they are allowed")
    func broken() throws {
        var report = BuildReport()
        let (usual, allowing) = (
            try Delivery(["-o", "x"]), try Delivery(["--allow-broken", "-ox"])
        )
        try usual.check(report)
        report.broken = ["a_wsh.swift"]
        #expect(throws: BuildError.self) { try usual.check(report) }
        try allowing.check(report)
    }

    @Test("the server's library is the same after it was written and read")
    func library() {
        let library = ServerLibrary(
            identity: "i", folder: "/a b/c", runtime: nil, compilerFlags: [],
            linkerFlags: ["-lssl", "-lz"])
        #expect(ServerLibrary(text: library.text) == library)
        #expect(ServerLibrary(text: "i\n/a\n") == nil)
    }

    @Test(
        "a value in what the compiler says of its target",
        arguments: [
            Row(
                "there", #"{"paths": {"runtimeResourcePath": "/usr/lib/swift"}}"#, "/usr/lib/swift"),
            Row("not there", "{}", nil), Row("cut", #"{"runtimeResourcePath""#, nil),
        ] as [Row<String, String?>])
    func target(_ row: Row<String, String?>) {
        #expect(Toolchain.value(of: "runtimeResourcePath", in: row.input) == row.expected)
    }
}
