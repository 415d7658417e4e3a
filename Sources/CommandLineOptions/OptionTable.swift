/// All options of a program, in groups and in the order in which the help explains them.
package struct OptionTable<Settings>: Sendable {
    package typealias Group = (title: String, options: [Option<Settings>])

    package let groups: [Group]
    package let all: [Option<Settings>]

    package init(_ groups: [Group]) {
        self.groups = groups
        all = groups.flatMap(\.options)
    }

    /// - Parameter spelling: without leading dashes; `_` may be written for `-`.
    package func named(_ spelling: some StringProtocol) -> Option<Settings>? {
        let name = String(spelling.map { $0 == "_" ? "-" : $0 })
        return all.first { $0.name == name }
    }
}

// MARK: - Help

extension OptionTable {
    /// The help text of each option, below the titles of the groups.
    package var help: String {
        var text = ""
        for group in groups {
            text += "\n\(group.title)\n"
            for option in group.options { text += entry(option) }
        }
        return text
    }

    private func entry(_ option: Option<Settings>) -> String {
        let letter = option.letter.map { "-\($0), " } ?? "    "
        let head = "  \(letter)--\(option.name)\(option.value.map { " \($0)" } ?? "")"
        let column = 38
        var lines = [""]
        for word in option.help.split(separator: " ") {
            if lines[lines.count - 1].count + word.count > 60 { lines.append("") }
            lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
        }
        let indent = String(repeating: " ", count: column)
        let body = lines.joined(separator: "\n" + indent)
        let isLong = head.count > column - 2
        let gap = isLong ? "\n" + indent : String(repeating: " ", count: column - head.count)
        return head + gap + body + "\n"
    }
}
