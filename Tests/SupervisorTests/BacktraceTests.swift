import Testing

@testable import Supervisor

@Suite("What a crash leaves behind")
struct BacktraceTests {
    private static let text = """
        *** Program crashed: Illegal instruction at 0x000056198df8f71c ***

        Platform: x86_64 Linux (Debian GNU/Linux 12 (bookworm))

        Thread 1 crashed:

          0 [inlined] [system] 0x000056198df8f71c Array.subscript.modify in standalone \
            at //<compiler-generated>
          1    0x000056198df8f71c closure #1 in handler in standalone \
            at /home/me/handlers/sub/crash_wsh.swift:7:68
          2 [async]            0x000056198df2c4d0 Connection.run(_:) in standalone \
            at /src/Connection.swift:191
        ...

        Backtrace took 0.16s

        """

    @Test(
        arguments: [
            ("/home/me/handlers", "sub/crash_wsh.swift:7:68"),
            ("/home/me/handlers/", "sub/crash_wsh.swift:7:68"),
            ("/home/me/other", nil), ("/home/me/hand", nil), ("/src", "Connection.swift:191"),
        ] as [(String, String?)])
    func place(_ root: String, _ place: String?) {
        #expect(Backtrace(Self.text, root: root).place == place)
    }

    @Test func frames() {
        let lines = Backtrace(Self.text, root: "/home/me/handlers").lines
        #expect(lines.count == 3)
        #expect(lines.first?.contains("Array.subscript.modify") == true)
    }

    @Test(
        "a crash without a backtrace",
        arguments: ["", "\n", "*** Program crashed", String(repeating: "x", count: 70_000)])
    func nothing(_ text: String) {
        let backtrace = Backtrace(text, root: "/")
        #expect(backtrace.lines.isEmpty && backtrace.place == nil)
    }
}
