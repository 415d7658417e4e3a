import Counting

/// One metric: what it is called and what it says, and which cells of which blocks it is counted
/// in. All of them are in MetricTable.swift.
package struct Metric: Sendable {
    /// Whose blocks the cells are in. The cells of all of them are added up.
    package enum Scope: Sendable {
        /// A loop's for one route: the metric has the label `route`.
        case route
        /// A loop's.
        case loop
        /// A process's, or the supervisor's.
        case process
        /// No cells: whoever asks for the metrics knows the value, see ``GivenValues``.
        case given
    }

    package enum Kind: Sendable {
        /// Never falls.
        case counter
        case gauge
        /// The largest value of all blocks instead of their sum.
        case largest
        /// What the first cell counts less all that the others count: what has begun and not ended.
        case remainder(ended: Range<Int>)
        case histogram(HistogramBounds)
        /// Always 1; its labels are what it says.
        case information
    }

    package enum Unit: String, Sendable {
        case none = ""
        case bytes, seconds
    }

    /// Without the `_total` of a counter and the `_info` of an information.
    package let name: String
    /// One line, without a line feed.
    package let help: String
    package let kind: Kind
    package let scope: Scope
    package let unit: Unit
    /// The labels beside `route`.
    package let labels: [String]
    /// The values of ``labels``, for each cell from ``firstCell`` on.
    package let series: [[String]]
    /// Series that are zero are left out: there are many, and most of them stay so.
    package let omitsZero: Bool
    package let firstCell: Int

    /// - Parameters:
    ///   - unit: what is counted in seconds lies in the cells in nanoseconds.
    ///   - series: by default one without a label.
    init(
        _ name: String, _ kind: Kind, _ scope: Scope, at firstCell: Int, _ help: String,
        unit: Unit = .none, labels: [String] = [], series: [[String]] = [[]],
        omitsZero: Bool = false
    ) {
        self.name = name
        self.kind = kind
        self.scope = scope
        self.firstCell = firstCell
        self.help = help
        self.unit = unit
        self.labels = labels
        self.series = series
        self.omitsZero = omitsZero
    }

    /// With one label.
    init(
        _ name: String, _ kind: Kind, _ scope: Scope, at firstCell: Int, _ help: String,
        unit: Unit = .none, label: String, _ values: [String], omitsZero: Bool = false
    ) {
        self.init(
            name, kind, scope, at: firstCell, help, unit: unit, labels: [label],
            series: values.map { [$0] }, omitsZero: omitsZero)
    }

    package var isCounter: Bool { if case .counter = kind { true } else { false } }

    /// How many cells it takes.
    var cellCount: Int {
        switch kind {
        case .histogram(let bounds): bounds.cellCount
        case .information, .remainder: 0
        case .counter, .gauge, .largest: scope == .given ? 0 : series.count
        }
    }

    /// The names of its samples, as queries have them.
    package var sampleNames: [String] {
        switch kind {
        case .counter: [name + "_total"]
        case .gauge, .largest, .remainder: [name]
        case .histogram: ["_bucket", "_sum", "_count"].map { name + $0 }
        case .information: [name + "_info"]
        }
    }
}

extension Metric {
    /// Tells versions apart that count something else, or elsewhere.
    static let digest = digest(of: all)

    static func digest(of metrics: [Metric]) -> UInt64 {
        var digest: UInt64 = 0xCBF2_9CE4_8422_2325  // FNV-1a
        for metric in metrics where metric.cellCount > 0 {
            let text = "\(metric.name) \(metric.scope) \(metric.firstCell) \(metric.cellCount)\n"
            for byte in text.utf8 { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01B3 }
        }
        return digest
    }
}
