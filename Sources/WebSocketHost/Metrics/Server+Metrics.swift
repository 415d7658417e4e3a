import Metrics

extension Server {
    /// All that the server counts, as text for Prometheus or another reader of metrics:
    /// connections, handshakes, messages, by route. docs/METRICS.md lists it. From any thread.
    ///
    /// With a thousand routes this takes some milliseconds, which no connection should have to wait
    /// for: see ``offload(_:)``.
    public func metrics(_ format: MetricsFormat = .prometheus) -> String {
        counted.map { String(decoding: $0.text(format), as: UTF8.self) } ?? ""
    }

    /// On the control loop's thread.
    func makeMetricsTexts() -> MetricsTexts? {
        counted.map { metrics in
            MetricsTexts(metrics, on: control.loop) { [weak self] in self?.countProcessorTime() }
        }
    }
}
