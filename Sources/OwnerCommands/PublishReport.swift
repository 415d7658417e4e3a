import Logging

/// What `publish` says on standard error: which messages were not published and why.
struct PublishReport {
    /// The exit codes; the help has the same list.
    enum ExitCode: Int32 {
        case success = 0
        case unpublished = 1
        case usage = 2
    }

    private let isBinary: Bool
    private let write: (String) -> Void
    /// Messages that were not published, or may not have been.
    private(set) var unpublishedCount = 0
    /// Of those that were left out.
    private var toldCount = 0
    private var untoldCount = 0

    /// Of messages that are left out, so many are named; the rest is counted.
    static let toldLimit = 10

    init(isBinary: Bool, write: @escaping (String) -> Void = StandardError.write) {
        self.isBinary = isBinary
        self.write = write
    }

    var exitCode: ExitCode { unpublishedCount == 0 ? .success : .unpublished }

    func say(_ text: String) { write("publish: \(escaped(text, limit: 2_000))\n") }

    mutating func leftOut(_ number: Int, because reason: String) {
        unpublishedCount += 1
        guard toldCount < Self.toldLimit else {
            untoldCount += 1
            return
        }
        toldCount += 1
        say("\(name([number])): \(reason)")
        if toldCount == Self.toldLimit { say("more like that are counted") }
    }

    /// - Parameter numbers: ascending.
    mutating func lost(_ numbers: [Int], because reason: String) {
        guard !numbers.isEmpty else { return }
        unpublishedCount += numbers.count
        say("\(name(numbers)): perhaps not published: \(reason)")
    }

    /// Nothing more is published.
    func nothing(from number: Int) {
        say(isBinary ? "nothing was published" : "nothing from line \(number) on was published")
    }

    /// At the end.
    func sum() {
        guard untoldCount > 0 else { return }
        say("\(unpublishedCount) messages in all were not, or perhaps not, published")
    }

    private func name(_ numbers: [Int]) -> String {
        guard let first = numbers.first, let last = numbers.last, !isBinary else {
            return "standard input"
        }
        return first == last ? "line \(first)" : "lines \(first) to \(last)"
    }
}
