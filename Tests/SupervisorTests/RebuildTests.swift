import HandlerBuild
import Testing

@testable import Supervisor

@Suite("What came of a build")
struct RebuildTests {
    private func result(_ change: (inout BuildReport) -> Void) -> Build.Result {
        var report = BuildReport()
        change(&report)
        return Build.Result(report: report)
    }

    @Test("what changed, in words")
    func outcome() {
        let result = result { report in
            report.changes = [
                .init(kind: .added, path: "a b_wsh.swift"),
                .init(kind: .removed, path: "c_wsh.swift"),
            ]
            report.isServerNew = true
            report.broken = ["a b_wsh.swift"]
        }
        let outcome = Rebuild.Outcome(result, messages: "x")
        #expect(outcome.isBuilt && outcome.messages == "x")
        #expect(
            outcome.changed == [
                "a b_wsh.swift added", "c_wsh.swift removed", "the server itself changed",
            ])
        #expect(outcome.broken == ["a b_wsh.swift"] && outcome.kept.isEmpty)
    }

    @Test("--strict refuses what does not compile, and says why once")
    func refused() {
        var result = result { $0.broken = ["a_wsh.swift"] }
        result.isRefused = true
        result.untold = "a_wsh.swift:1:1: error: x\n"
        let outcome = Rebuild.Outcome(result, messages: "")
        #expect(!outcome.isBuilt)
        #expect(outcome.messages == "a_wsh.swift:1:1: error: x\n\(Build.refusal)\n")
    }
}
