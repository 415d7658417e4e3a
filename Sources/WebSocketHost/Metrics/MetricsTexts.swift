import EventLoop
import Metrics

/// Makes the text of the metrics on a thread of its own: that of a thousand routes is half a
/// megabyte, and takes some milliseconds.
///
/// One text is made at a time. Those who ask meanwhile get the next one, which has all that was
/// counted before they asked.
///
/// `@unchecked Sendable`: everything mutable is touched on the control loop's thread only.
final class MetricsTexts: @unchecked Sendable {
    private let metrics: ServerMetrics
    private let loop: Loop
    /// Called before a text is made.
    private let prepare: () -> Void
    private var waiting: [(format: MetricsFormat, body: ([UInt8]) -> Void)] = []
    /// Those whose text is being made.
    private var due: [(format: MetricsFormat, body: ([UInt8]) -> Void)] = []
    private var isWorking = false

    /// - Parameter loop: the control loop.
    init(_ metrics: ServerMetrics, on loop: Loop, prepare: @escaping () -> Void) {
        self.metrics = metrics
        self.loop = loop
        self.prepare = prepare
    }

    /// - Parameter body: called with the text, on the loop's thread.
    func make(_ format: MetricsFormat, then body: @escaping ([UInt8]) -> Void) {
        waiting.append((format, body))
        if !isWorking { begin() }
    }

    private func begin() {
        isWorking = true
        prepare()
        let due = waiting
        waiting = []
        let formats = Set(due.map(\.format))
        self.due = due
        let work: @Sendable () -> Void = { [self] in
            let texts = Dictionary(
                uniqueKeysWithValues: formats.map { ($0, metrics.text($0)) })
            loop.submit { [self] in finish(texts) }
        }
        // Without a thread it is made here: a wait of some milliseconds, rather than no metrics.
        if (try? LoopThread(work)) == nil { work() }
    }

    private func finish(_ texts: [MetricsFormat: [UInt8]]) {
        let due = due
        self.due = []
        // Whoever is answered may ask again at once, and waits for the next text.
        for request in due { request.body(texts[request.format] ?? []) }
        isWorking = false
        if !waiting.isEmpty { begin() }
    }
}
