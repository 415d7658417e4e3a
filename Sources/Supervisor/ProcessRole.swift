import EventLoop

/// What a supervisor passes to a server process at its start, in environment variables.
package struct ProcessRole: Equatable, Sendable {
    /// The descriptors that it inherits: the control socket, then the listening sockets, then the
    /// one in the run directory, if there is one, then those of `--admin-listen`, then one to each
    /// other server process, then those of shared memory.
    package static let controlDescriptor: Int32 = 3
    package var listenerDescriptors: Range<Int32> {
        Self.controlDescriptor + 1..<Self.controlDescriptor + 1 + Int32(listenerIndices.count)
    }
    package var runSocketDescriptor: Int32? {
        hasRunSocket ? listenerDescriptors.upperBound : nil
    }
    package var adminDescriptors: Range<Int32> {
        let start = listenerDescriptors.upperBound + (hasRunSocket ? 1 : 0)
        return start..<start + Int32(adminSocketCount)
    }
    package var linkDescriptors: Range<Int32> {
        let start = adminDescriptors.upperBound
        return start..<start + Int32(linkCount)
    }
    package var memoryDescriptors: Range<Int32> {
        let start = linkDescriptors.upperBound
        return start..<start + Int32(memoryCount)
    }
    package var inheritedDescriptors: Range<Int32> {
        Self.controlDescriptor..<memoryDescriptors.upperBound
    }

    /// Tells it from all other processes that its supervisor has ever started.
    package var number: Int
    /// Its part of memory that processes share: a number that no other living process of the
    /// supervisor has, below ``placeLimit``.
    package var place: Int
    /// 64 processes at a time.
    package static let placeLimit = 64
    /// When the supervisor began.
    package var began: MonotonicTime
    /// As ``Supervisor/Plan/memories``.
    package var memoryCount: Int
    private static let memoryLimit = 8
    /// For each listening socket, which of the configuration's listeners it is one of.
    package var listenerIndices: [Int]
    /// The last of them that no option describes.
    package var passedListeners: [PassedListener] = []
    /// How often it tells its supervisor that its loops turn; `nil`: never.
    package var turnReportInterval: Duration?
    /// Whether it answers its owner in the run directory.
    package var hasRunSocket: Bool
    /// On how many sockets it does so until its end.
    package var adminSocketCount: Int
    /// Processes that it shares topics with from the start.
    package var linkCount: Int
    /// 64 processes; usually there are at most those of `--max-old-generations` and two more.
    package static let linkLimit = 64
    /// Whether it prints the start-up message: the first process does.
    package var announces: Bool
    /// Whether `--watch` is on, so that its pages follow changes.
    package var isWatched: Bool
    /// Handler files to leave out, each with the reason: its handler could not be created.
    package var leftOut: [ExactText: String]
    /// Handler files that trapped again and again, and how long they are left out for it.
    package var trapping: [ExactText: Duration]

    package init(
        number: Int, place: Int = 0, began: MonotonicTime = MonotonicTime(nanoseconds: 0),
        listenerIndices: [Int], hasRunSocket: Bool = false,
        adminSocketCount: Int = 0, linkCount: Int = 0, memoryCount: Int = 0,
        announces: Bool = false,
        isWatched: Bool = false,
        leftOut: [ExactText: String] = [:], trapping: [ExactText: Duration] = [:]
    ) {
        self.number = number
        self.place = place
        self.began = began
        self.memoryCount = memoryCount
        self.listenerIndices = listenerIndices
        self.hasRunSocket = hasRunSocket
        self.adminSocketCount = adminSocketCount
        self.linkCount = linkCount
        self.announces = announces
        self.isWatched = isWatched
        self.leftOut = leftOut
        self.trapping = trapping
    }

    package static let variable = "WEBSOCKETHOST_WORKER"
    package static let leftOutVariable = "WEBSOCKETHOST_LEFT_OUT"
    package static let trappingVariable = "WEBSOCKETHOST_TRAPPING"
    /// All of them.
    package static let variables = [variable, leftOutVariable, trappingVariable]

    /// `NAME=value`.
    var environment: [String] {
        let indices = listenerIndices.map { "\($0)" }.joined(separator: ",")
        var words = [
            "\(number)", "\(place)", "\(linkCount)", "\(memoryCount)", "listeners=\(indices)",
        ]
        words.append("began=\(began.nanoseconds)")
        if !passedListeners.isEmpty {
            let texts = passedListeners.map { "\($0.rawValue)" }
            words.append("passed=" + texts.joined(separator: ","))
        }
        if let turnReportInterval {
            words.append("turns=\(turnReportInterval.milliseconds)")
        }
        if hasRunSocket { words.append("run") }
        if adminSocketCount > 0 { words.append("admin=\(adminSocketCount)") }
        if announces { words.append("announce") }
        if isWatched { words.append("watch") }
        return [
            "\(Self.variable)=\(words.joined(separator: " "))",
            "\(Self.leftOutVariable)=\(Self.lines(leftOut))",
            "\(Self.trappingVariable)=\(Self.lines(trapping.mapValues { "\($0.milliseconds)" }))",
        ]
    }

    /// `FILE\tVALUE`
    private static func lines(_ values: [ExactText: String]) -> String {
        values.sorted { $0.key.text < $1.key.text }.map { "\($0.key.text)\t\($0.value)" }.joined(
            separator: "\n")
    }

    private static func values(_ lines: String?) -> [ExactText: String] {
        var values: [ExactText: String] = [:]
        for line in (lines ?? "").split(separator: "\n") {
            let parts = line.split(separator: "\t", maxSplits: 1)
            if parts.count == 2 { values[ExactText(String(parts[0]))] = String(parts[1]) }
        }
        return values
    }

    /// As many as `--listen` takes.
    private static let listenerLimit = 64
    /// A listener has a socket for each address of its host.
    private static let socketLimit = 4 * listenerLimit

    /// What stands behind `NAME=`.
    private static func value(_ name: String, _ words: [Substring]) -> Substring? {
        words.first { $0.hasPrefix(name + "=") }?.dropFirst(name.count + 1)
    }

    private static func listenerIndices(_ words: [Substring]) -> [Int]? {
        guard let texts = value("listeners", words)?.split(separator: ",") else { return nil }
        let indices = texts.compactMap { Int($0) }.filter { (0..<listenerLimit).contains($0) }
        return indices.count == texts.count && indices.count <= socketLimit ? indices : nil
    }

    /// 0 if it is not there.
    private static func number(_ name: String, _ words: [Substring]) -> Int64 {
        value(name, words).flatMap { Int64($0) } ?? 0
    }

    /// - Parameter variables: by name.
    /// - Returns: `nil` if no supervisor started this process.
    package init?(_ variables: [String: String]) {
        let words = (variables[Self.variable] ?? "").split(separator: " ")
        let numbers = words.prefix(4).compactMap { Int($0) }
        guard numbers.count == 4, numbers[0] > 0, (0..<Self.placeLimit).contains(numbers[1]),
            (0...Self.linkLimit).contains(numbers[2]), (0...Self.memoryLimit).contains(numbers[3]),
            let listenerIndices = Self.listenerIndices(words)
        else { return nil }
        let adminSocketCount = Self.number("admin", words)
        guard (0...Int64(Self.listenerLimit)).contains(adminSocketCount) else { return nil }
        self.init(
            number: numbers[0], place: numbers[1],
            began: MonotonicTime(nanoseconds: Self.number("began", words)),
            listenerIndices: listenerIndices,
            hasRunSocket: words.contains("run"),
            adminSocketCount: Int(clamping: adminSocketCount), linkCount: numbers[2],
            memoryCount: numbers[3],
            announces: words.contains("announce"),
            isWatched: words.contains("watch"),
            leftOut: Self.values(variables[Self.leftOutVariable]),
            trapping: Self.values(variables[Self.trappingVariable]).compactMapValues {
                Int64($0).map { .milliseconds($0) }
            })
        passedListeners = (Self.value("passed", words) ?? "").split(separator: ",")
            .compactMap { UInt8($0).map(PassedListener.init) }
        turnReportInterval = Self.value("turns", words).flatMap { Int64($0) }.map {
            .milliseconds(max(1, $0))
        }
    }
}

extension Duration {
    /// Rounded up, so that no time becomes none.
    var milliseconds: Int64 { (wholeNanoseconds + 999_999) / 1_000_000 }
}
