/// What a supervisor passes to a server process at its start, in environment variables.
package struct ProcessRole: Equatable, Sendable {
    /// The descriptors that it inherits: the control socket, then the listening sockets.
    package static let controlDescriptor: Int32 = 3
    package var listenerDescriptors: Range<Int32> {
        Self.controlDescriptor + 1..<Self.controlDescriptor + 1 + Int32(listenerCount)
    }

    package var listenerCount: Int
    /// Whether it prints the start-up message: the first process does.
    package var announces: Bool
    /// Whether `--watch` is on, so that its pages follow changes.
    package var isWatched: Bool
    /// Handler files to leave out, each with the reason: its handler could not be created.
    package var leftOut: [String: String]

    package init(
        listenerCount: Int, announces: Bool = false, isWatched: Bool = false,
        leftOut: [String: String] = [:]
    ) {
        self.listenerCount = listenerCount
        self.announces = announces
        self.isWatched = isWatched
        self.leftOut = leftOut
    }

    package static let variable = "WEBSOCKETHOST_WORKER"
    package static let leftOutVariable = "WEBSOCKETHOST_LEFT_OUT"

    /// `NAME=value`.
    var environment: [String] {
        var words = ["\(listenerCount)"]
        if announces { words.append("announce") }
        if isWatched { words.append("watch") }
        let lines = leftOut.sorted { $0.key < $1.key }.map { "\($0.key)\t\($0.value)" }
        return [
            "\(Self.variable)=\(words.joined(separator: " "))",
            "\(Self.leftOutVariable)=\(lines.joined(separator: "\n"))",
        ]
    }

    /// - Parameter variables: by name.
    /// - Returns: `nil` if no supervisor started this process.
    package init?(_ variables: [String: String]) {
        let words = (variables[Self.variable] ?? "").split(separator: " ")
        guard let count = words.first.flatMap({ Int($0) }), (0...64).contains(count) else {
            return nil
        }
        self.init(
            listenerCount: count, announces: words.contains("announce"),
            isWatched: words.contains("watch"))
        for line in (variables[Self.leftOutVariable] ?? "").split(separator: "\n") {
            let parts = line.split(separator: "\t", maxSplits: 1)
            if parts.count == 2 { leftOut[String(parts[0])] = String(parts[1]) }
        }
    }
}
