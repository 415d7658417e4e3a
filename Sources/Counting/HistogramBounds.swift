/// How often something took how long: the counts for each bound, and the sum of all durations.
///
/// A histogram's cells are one for each bound, with what took at most as long as that and longer
/// than the bound before, one for what took longer than all, and the sum in nanoseconds.
package struct HistogramBounds: Sendable, Hashable {
    /// The bounds as they are written: in seconds.
    package let texts: [String]
    /// The same in nanoseconds, ascending.
    package let nanoseconds: [Int]
    package var cellCount: Int { nanoseconds.count + 2 }
    package var sumCell: Int { nanoseconds.count + 1 }

    private init(_ bounds: [(text: String, nanoseconds: Int)]) {
        texts = bounds.map(\.text)
        nanoseconds = bounds.map(\.nanoseconds)
    }

    /// Of a round trip: those of other real-time servers.
    package static let roundTrip = HistogramBounds([
        ("0.0001", 100_000), ("0.0005", 500_000), ("0.001", 1_000_000), ("0.005", 5_000_000),
        ("0.01", 10_000_000), ("0.025", 25_000_000), ("0.05", 50_000_000), ("0.1", 100_000_000),
        ("0.25", 250_000_000), ("0.5", 500_000_000), ("1.0", 1_000_000_000),
        ("2.5", 2_500_000_000), ("5.0", 5_000_000_000), ("10.0", 10_000_000_000),
    ])

    /// Of a connection: a second, a minute, half a day.
    package static let connection = HistogramBounds([
        ("1.0", 1_000_000_000), ("10.0", 10_000_000_000), ("60.0", 60_000_000_000),
        ("300.0", 300_000_000_000), ("1800.0", 1_800_000_000_000),
        ("7200.0", 7_200_000_000_000), ("43200.0", 43_200_000_000_000),
    ])
}

extension CounterCells {
    /// Counts a duration in a histogram that begins at `first`. On the thread of the writer.
    ///
    /// - Parameter nanoseconds: less than zero counts as zero.
    package func observe(_ nanoseconds: Int, in bounds: HistogramBounds, at first: Int) {
        let duration = max(0, nanoseconds)
        let index = bounds.nanoseconds.firstIndex { duration <= $0 } ?? bounds.nanoseconds.count
        add(1, to: first + index)
        add(duration, to: first + bounds.sumCell)
    }
}
