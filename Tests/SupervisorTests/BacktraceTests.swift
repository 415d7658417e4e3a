import Glibc
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

    /// Each line is a crash that was seen, with its frames as they were.
    @Test(
        arguments: [
            (
                SIGILL, "*** Program crashed: Illegal instruction at 0x0000563cdb3df285 ***",
                ["Array.subscript.getter in standalone at //<compiler-generated>"], true,
                "index out of range"
            ),
            (
                SIGILL, "*** Swift runtime failure: arithmetic overflow ***",
                [
                    "Swift runtime failure: arithmetic overflow in standalone "
                        + "at //<compiler-generated>"
                ], true, "arithmetic overflow"
            ),
            (
                SIGILL,
                "*** Swift runtime failure: Unexpectedly found nil while unwrapping an Optional "
                    + "value ***", [], true,
                "unexpectedly found nil while unwrapping an Optional value"
            ),
            (
                SIGILL, "",
                [
                    "specialized RangeReplaceableCollection<>.removeLast() in standalone "
                        + "at //<compiler-generated>"
                ], true, "a check in RangeReplaceableCollection<>.removeLast() failed"
            ),
            (
                SIGILL, "",
                [
                    "_assertionFailure(_:_:file:line:flags:) + 302 in standalone",
                    "String.index(_:offsetBy:) + 1420 in standalone",
                ], true,
                "a check in String.index(_:offsetBy:) failed; its message is on standard error"
            ),
            (
                SIGILL, "", ["_assertionFailure(_:_:file:line:flags:) + 225 in standalone"], true,
                "a fatal error; its message is on standard error"
            ),
            (
                SIGILL, "",
                ["closure #1 in variable initialization expression of handler + 5 in standalone"],
                false, "a check failed: of an index, a sum, nil or a condition"
            ),
            (
                SIGABRT, "", ["__pthread_kill_implementation + 268 in libc.so.6"], false,
                "aborted; a message may be on standard error"
            ),
            (SIGSEGV, "", [], false, "stack overflow, or invalid memory access"),
            (SIGBUS, "", [], false, "invalid memory access"),
            (SIGFPE, "", [], false, "arithmetic fault"),
            (SIGSYS, "", [], false, "signal 31 (SIGSYS)"),
        ] as [(Int32, String, [String], Bool, String)])
    func reason(
        _ signal: Int32, _ headline: String, _ above: [String], _ hasPlace: Bool, _ reason: String
    ) {
        var frames = above.enumerated().map {
            "  \($0.offset) [ra] 0x000056198df8f71c \($0.element)"
        }
        if hasPlace {
            frames.append(
                "  9 0x000056198df8f71c closure #1 in handler + 5 in standalone "
                    + "at /me/handlers/a_wsh.swift:7:68")
        }
        let text = ([headline, ""] + frames).joined(separator: "\n")
        let backtrace = Backtrace(text, root: "/me/handlers")
        #expect(TrapReason.text(signal: signal, backtrace) == reason)
        #expect(backtrace.functionsAbove.count == above.count)
        #expect(backtrace.handler == (hasPlace ? "a_wsh.swift" : nil))
    }

    @Test(
        "a crash without a backtrace",
        arguments: ["", "\n", "*** Program crashed", String(repeating: "x", count: 70_000)])
    func nothing(_ text: String) {
        let backtrace = Backtrace(text, root: "/")
        #expect(backtrace.lines.isEmpty && backtrace.place == nil)
    }
}
