import Testing

@testable import Supervisor

@Suite("What came of a build")
struct RebuildTests {
    @Test(
        arguments: [
            (0, "", ([], [])), (0, "changed\ta_wsh.swift\n", (["a_wsh.swift changed"], [])),
            (
                0, "added\ta b_wsh.swift\nremoved\tc_wsh.swift\n",
                (["a b_wsh.swift added", "c_wsh.swift removed"], [])
            ),
            (
                0, "changed\ta_wsh.swift\nbroken\ta_wsh.swift\n",
                (["a_wsh.swift changed"], ["a_wsh.swift"])
            ),
            (0, "core\n", (["the server itself changed"], [])),
            (0, "changed\nbroken\nwhat\tever\n\n", ([], [])),
        ] as [(Int32, String, ([String], [String]))])
    func outcome(_ status: Int32, _ output: String, _ expected: ([String], [String])) {
        let outcome = Rebuild.Outcome(status: status, output: output, messages: "x")
        #expect(outcome.isBuilt)
        #expect(outcome.changed == expected.0)
        #expect(outcome.broken == expected.1)
        #expect(outcome.messages == "x")
    }

    @Test(
        "what was kept is no reason to change over",
        arguments: [
            ("changed\ta\nkept\ta\n", true), ("changed\ta\nchanged\tb\nkept\ta\n", false),
            ("changed\ta\nbroken\ta\n", false), ("core\nkept\ta\n", false), ("kept\ta\n", false),
            ("", false),
        ])
    func unchanged(_ output: String, _ isUnchanged: Bool) {
        #expect(Rebuild.Outcome(status: 0, output: output, messages: "").isUnchanged == isUnchanged)
    }

    @Test(arguments: [1 << 8, 4 << 8, 9] as [Int32])
    func failed(_ status: Int32) {
        #expect(!Rebuild.Outcome(status: status, output: "", messages: "").isBuilt)
    }
}
