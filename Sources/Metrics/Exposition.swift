import Counting

/// A snapshot as text: for each metric what it is, then its samples.
struct Exposition {
    private let format: MetricsFormat
    private let snapshot: MetricsSnapshot
    private let given: GivenValues
    private(set) var bytes: [UInt8] = []

    /// 128 bytes are more than most samples are long.
    private static let sampleByteCount = 128

    init(_ snapshot: MetricsSnapshot, _ given: GivenValues, _ format: MetricsFormat) {
        self.snapshot = snapshot
        self.given = given
        self.format = format
        // A route has about eight samples.
        bytes.reserveCapacity((snapshot.routes.count * 8 + 256) * Self.sampleByteCount)
        for metric in Metric.all { add(metric) }
        if format == .openMetrics { add("# EOF\n") }
    }

    private mutating func add(_ metric: Metric) {
        addHead(metric)
        switch metric.scope {
        case .route:
            for route in snapshot.routes {
                add(metric, route.row, labels: ["route=\"\(Self.escaped(route.name))\""])
            }
        case .loop: add(metric, snapshot.loops)
        case .process: add(metric, snapshot.processes)
        case .given: addGiven(metric)
        }
    }

    // MARK: What a metric is

    private mutating func addHead(_ metric: Metric) {
        // In text, a counter's or an information's name is that of its samples.
        let name = format == .openMetrics ? metric.name : metric.textName
        add("# HELP \(name) \(Self.escapedHelp(metric.help, format))\n")
        add("# TYPE \(name) \(metric.typeName(format))\n")
        if format == .openMetrics, metric.unit != .none {
            add("# UNIT \(name) \(metric.unit.rawValue)\n")
        }
    }

    // MARK: Its samples

    private mutating func add(
        _ metric: Metric, _ row: MetricsSnapshot.Row, labels: [String] = []
    ) {
        switch metric.kind {
        case .histogram(let bounds): addHistogram(metric, bounds, row, labels)
        case .remainder(let ended):
            let rest = ended.reduce(row.sums[metric.firstCell]) { $0 &- row.sums[$1] }
            addSample(metric.name, "", labels, max(0, rest), .none)
        case .counter, .gauge, .largest:
            let values = if case .largest = metric.kind { row.largest } else { row.sums }
            for (offset, series) in metric.series.enumerated() {
                let value = values[metric.firstCell + offset]
                if value == 0 && metric.omitsZero { continue }
                addSample(
                    metric.name, metric.isCounter ? "_total" : "",
                    labels + metric.labelTexts(series), value, metric.unit)
            }
        case .information: break
        }
    }

    private mutating func addHistogram(
        _ metric: Metric, _ bounds: HistogramBounds, _ row: MetricsSnapshot.Row, _ labels: [String]
    ) {
        var count = 0
        for (offset, bound) in (bounds.texts + ["+Inf"]).enumerated() {
            count &+= row.sums[metric.firstCell + offset]
            addSample(metric.name, "_bucket", labels + ["le=\"\(bound)\""], count, .none)
        }
        let sum = row.sums[metric.firstCell + bounds.sumCell]
        addSample(metric.name, "_sum", labels, sum, metric.unit)
        addSample(metric.name, "_count", labels, count, .none)
    }

    private mutating func addGiven(_ metric: Metric) {
        if case .information = metric.kind {
            let labels = metric.labelTexts([Self.escaped(given.version)])
            addSample(metric.name, "_info", labels, 1, .none)
        } else {
            addSample(metric.name, "", [], given.value(metric.firstCell), metric.unit)
        }
    }

    private mutating func addSample(
        _ name: String, _ suffix: String, _ labels: [String], _ value: Int, _ unit: Metric.Unit
    ) {
        add(name)
        add(suffix)
        for (index, label) in labels.enumerated() {
            add(index == 0 ? "{" : ",")
            add(label)
        }
        add(labels.isEmpty ? " " : "} ")
        add(unit == .seconds ? Self.seconds(value) : String(value))
        add("\n")
    }

    private mutating func add(_ text: String) { bytes.append(contentsOf: text.utf8) }

    /// Nanoseconds as seconds: `1.5`.
    static func seconds(_ nanoseconds: Int) -> String {
        let magnitude = nanoseconds.magnitude
        // With the zeros in front of it.
        var digits = Array(String(1_000_000_000 + magnitude % 1_000_000_000).utf8.dropFirst())
        while digits.count > 1, digits.last == UInt8(ascii: "0") { digits.removeLast() }
        let whole = (nanoseconds < 0 ? "-" : "") + String(magnitude / 1_000_000_000)
        return whole + "." + String(decoding: digits, as: UTF8.self)
    }

    // MARK: Escaping

    /// What stands in the quotes of a label.
    static func escaped(_ value: String) -> String {
        escaped(value, quotes: true)
    }

    /// Text escapes no quotes in help.
    static func escapedHelp(_ help: String, _ format: MetricsFormat) -> String {
        escaped(help, quotes: format == .openMetrics)
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "\n"): bytes += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
            case UInt8(ascii: "\"") where quotes: bytes += [UInt8(ascii: "\\"), byte]
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension Metric {
    /// The name by which text says what it is.
    fileprivate var textName: String {
        switch kind {
        case .counter, .information: sampleNames.first ?? name
        case .gauge, .largest, .remainder, .histogram: name
        }
    }

    fileprivate func typeName(_ format: MetricsFormat) -> String {
        switch kind {
        case .counter: "counter"
        case .gauge, .largest, .remainder: "gauge"
        case .histogram: "histogram"
        case .information: format == .openMetrics ? "info" : "gauge"
        }
    }

    /// `name="value"` for each label; the values need no escaping.
    fileprivate func labelTexts(_ values: [String]) -> [String] {
        zip(labels, values).map { "\($0)=\"\($1)\"" }
    }
}
