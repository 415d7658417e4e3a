import Counting
import Testing

@testable import Metrics

@Suite("metrics as text")
struct ExpositionTests {
    @Test(
        "a label's value is escaped",
        arguments: [
            ("/echo", "/echo"), ("/a\"b", #"/a\"b"#), (#"/a\b"#, #"/a\\b"#), ("/a\nb", #"/a\nb"#),
            ("/é😀", "/é😀"), ("", ""), ("/a\r\nb", "/a\r\\nb"), ("\\\n\"", #"\\\n\""#),
        ])
    func labels(_ value: String, _ escaped: String) {
        #expect(Exposition.escaped(value) == escaped)
    }

    @Test("help is escaped as its form wants it")
    func help() {
        #expect(Exposition.escapedHelp("a\"b\\\n", .prometheus) == #"a"b\\\n"#)
        #expect(Exposition.escapedHelp("a\"b\\\n", .openMetrics) == #"a\"b\\\n"#)
    }

    @Test(
        "nanoseconds are written in seconds",
        arguments: [
            (0, "0.0"), (1, "0.000000001"), (1_500_000_000, "1.5"), (-1, "-0.000000001"),
            (10_000_000_000, "10.0"), (123_456_789_012, "123.456789012"),
            (Int.max, "9223372036.854775807"), (Int.min, "-9223372036.854775808"),
        ])
    func seconds(_ nanoseconds: Int, _ text: String) {
        #expect(Exposition.seconds(nanoseconds) == text)
    }

    private func text(_ format: MetricsFormat) throws -> String {
        let memory = try #require(TestMemory().opened())
        let place = MetricsPlace(0, in: memory)
        place.route("/a\"b", lane: 0).add(3, to: RouteCells.accepted)
        place.loop(lane: 0).observe(
            2_000_000, in: .roundTrip, at: LoopCells.handshakeDurations)
        let given = GivenValues(version: "1.2.3", residentByteCount: 1, openDescriptorCount: 2)
        return String(decoding: memory.text(given, format), as: UTF8.self)
    }

    @Test("Prometheus text")
    func prometheus() throws {
        let text = try text(.prometheus)
        for line in [
            "# TYPE websockethost_handshakes_total counter",
            #"websockethost_handshakes_total{route="/a\"b",result="accepted"} 3"#,
            #"websockethost_connections{route="/a\"b"} 3"#,
            #"websockethost_connections{route="none"} 0"#,
            "# TYPE websockethost_handshake_seconds histogram",
            #"websockethost_handshake_seconds_bucket{le="0.001"} 0"#,
            #"websockethost_handshake_seconds_bucket{le="0.005"} 1"#,
            #"websockethost_handshake_seconds_bucket{le="+Inf"} 1"#,
            "websockethost_handshake_seconds_sum 0.002",
            "websockethost_handshake_seconds_count 1",
            "# TYPE websockethost_build_info gauge",
            #"websockethost_build_info{version="1.2.3"} 1"#,
            "process_open_fds 2",
        ] {
            #expect(text.contains(line + "\n"), "\(line)")
        }
        #expect(!text.contains("# UNIT") && !text.contains("# EOF"))
        // What is zero and may stay so for ever.
        #expect(!text.contains("websockethost_closes_total{"))
    }

    @Test("OpenMetrics")
    func openMetrics() throws {
        let text = try text(.openMetrics)
        for line in [
            "# TYPE websockethost_handshakes counter",
            #"websockethost_handshakes_total{route="/a\"b",result="accepted"} 3"#,
            "# UNIT websockethost_message_bytes bytes",
            "# TYPE websockethost_build info", #"websockethost_build_info{version="1.2.3"} 1"#,
            "# UNIT process_cpu_seconds seconds", "process_cpu_seconds_total 0.0",
        ] {
            #expect(text.contains(line + "\n"), "\(line)")
        }
        #expect(text.hasSuffix("\n# EOF\n"))
        #expect(text.ranges(of: "# EOF").count == 1)
    }
}
