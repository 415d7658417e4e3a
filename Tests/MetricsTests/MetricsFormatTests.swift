import Testing

@testable import Metrics

@Suite("Accept chooses a form of metrics")
struct MetricsFormatTests {
    @Test(
        "which form",
        arguments: [
            (nil, MetricsFormat.prometheus), ("", .prometheus), ("*/*", .prometheus),
            ("text/html", .prometheus), ("text/plain", .prometheus),
            ("application/openmetrics-text", .openMetrics),
            ("Application/OpenMetrics-Text; Version=1.0.0", .openMetrics),
            ("application/openmetrics-text;version=\"1.0.0\"", .openMetrics),
            ("application/openmetrics-text; version=2.0.0", .prometheus),
            ("application/openmetrics-text;q=0", .prometheus),
            ("application/openmetrics-text;q=0.0,*/*", .prometheus),
            ("application/openmetrics-text;q=nonsense", .prometheus),
            ("application/openmetrics-text;q=2", .prometheus),
            // What Prometheus 2 and 3 send.
            (
                "application/openmetrics-text;version=1.0.0;q=0.5,"
                    + "application/openmetrics-text;version=0.0.1;q=0.4,"
                    + "text/plain;version=0.0.4;q=0.3,*/*;q=0.2", .openMetrics
            ),
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                    + "application/openmetrics-text;version=0.0.1;q=0.5,"
                    + "text/plain;version=1.0.0;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                .openMetrics
            ),
            ("text/plain;q=0.9,application/openmetrics-text;q=0.5", .prometheus),
            ("application/openmetrics-text;q=0.5,*/*;q=0.9", .prometheus),
            ("text/plain;version=0.0.4", .prometheus),
            (",,;;=,", .prometheus), ("application/openmetrics-text;;q=", .openMetrics),
        ] as [(String?, MetricsFormat)])
    func choice(_ accept: String?, _ format: MetricsFormat) {
        #expect(MetricsFormat(accept: accept) == format)
    }
}
