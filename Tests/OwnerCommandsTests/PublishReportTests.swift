import Synchronization
import Testing

@testable import OwnerCommands

@Suite("What publish says")
struct PublishReportTests {
    private func lines(
        isBinary: Bool = false, _ body: (inout PublishReport) -> Void
    ) -> [String] {
        let text = Mutex("")
        var report = PublishReport(isBinary: isBinary) { part in text.withLock { $0 += part } }
        body(&report)
        report.sum()
        return text.withLock { $0.split(separator: "\n").map(String.init) }
    }

    @Test("each message that is left out, up to a limit, and then how many")
    func leftOut() {
        #expect(lines { $0.leftOut(3, because: "x\ty") } == ["publish: line 3: x\\ty"])
        let many = lines { report in
            for number in 1...20 { report.leftOut(number, because: "x") }
            #expect(report.exitCode == .unpublished)
        }
        #expect(many.count == PublishReport.toldLimit + 2)
        #expect(many.last?.contains("20 messages") == true)
        #expect(PublishReport(isBinary: false) { _ in }.exitCode == .success)
        #expect(lines { _ in } == [])
    }

    @Test("messages that are lost")
    func lost() {
        #expect(lines { $0.lost([], because: "x") } == [])
        let some = lines { $0.lost([4, 5, 9], because: "x") }
        #expect(some == ["publish: lines 4 to 9: perhaps not published: x"])
        #expect(lines { $0.lost([4], because: "x") }.first?.contains("line 4:") == true)
        #expect(
            lines(isBinary: true) { $0.lost([1], because: "x") }.first?
                .contains("standard input:") == true)
    }
}
