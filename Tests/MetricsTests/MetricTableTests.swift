import Counting
import Testing
import Topics
import WebSocketConnection

@testable import Metrics

@Suite("the table of metrics")
struct MetricTableTests {
    @Test("each name is there once, and is one that Prometheus takes")
    func names() {
        let names = Metric.all.map(\.name)
        #expect(Set(names).count == names.count)
        for metric in Metric.all {
            let isPlain = metric.name.utf8.allSatisfy {
                $0 == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
            }
            #expect(isPlain, "\(metric.name)")
            #expect(!metric.name.hasSuffix("_total") && !metric.name.hasSuffix("_info"))
            let isOwn = metric.name.hasPrefix("websockethost_")
            #expect(isOwn || metric.name.hasPrefix("process_"), "\(metric.name)")
        }
    }

    @Test("a unit stands at the end of the name, as OpenMetrics wants it")
    func units() {
        for metric in Metric.all where metric.unit != .none {
            #expect(metric.name.hasSuffix("_\(metric.unit.rawValue)"), "\(metric.name)")
        }
    }

    @Test("help is one sentence")
    func help() {
        for metric in Metric.all {
            #expect(metric.help.hasSuffix(".") && !metric.help.contains("\n"), "\(metric.name)")
        }
    }

    @Test("each cell belongs to one metric and lies in a block")
    func cells() {
        for scope in [Metric.Scope.route, .loop, .process] {
            var owners: [Int: String] = [:]
            for metric in Metric.all where metric.scope == scope {
                for cell in metric.firstCell..<metric.firstCell + metric.cellCount {
                    #expect(owners[cell] == nil, "\(metric.name) has a cell of \(owners[cell]!)")
                    owners[cell] = metric.name
                    #expect(cell < MetricsLayout.cellLimit, "\(metric.name)")
                }
            }
        }
    }

    @Test("what the core counts in lies where the table says")
    func core() {
        #expect(RouteCells.handshakes >= ConnectionCounters.routeCellCount)
        #expect(LoopCells.handshakeDurations >= ConnectionCounters.loopCellCount)
        #expect(LoopCells.queuedBytes >= LoopCells.topics + TopicCells.count)
        #expect(ConnectionCounters.sentMessages == ConnectionCounters.receivedMessages + 1)
        #expect(ConnectionCounters.sentBytes == ConnectionCounters.receivedBytes + 1)
        #expect(TopicCells.waiting == TopicCells.skipped + 1)
        #expect(TopicCells.closedSubscribers == TopicCells.skipped + 2)
    }

    @Test("each series has a value for each label")
    func series() {
        for metric in Metric.all {
            if case .information = metric.kind { continue }
            for series in metric.series { #expect(series.count == metric.labels.count) }
            #expect(Set(metric.series).count == metric.series.count, "\(metric.name)")
        }
    }

    @Test("another table has another digest")
    func digest() {
        let moved = Metric("websockethost_x", .counter, .loop, at: 3, "X.")
        let kept = Metric("websockethost_x", .counter, .loop, at: 2, "X.")
        #expect(Metric.digest(of: [moved]) != Metric.digest(of: [kept]))
    }

    @Test(
        "a status is one of the results",
        arguments: [
            (101, HandshakeResult.accepted), (400, .invalid), (426, .invalid), (431, .invalid),
            (401, .unauthorized), (403, .forbidden), (404, .notFound), (429, .limited),
            (503, .unavailable), (302, .rejected), (500, .rejected), (0, .rejected),
        ])
    func results(_ status: Int, _ result: HandshakeResult) {
        #expect(HandshakeResult(status: status) == result)
    }
}
