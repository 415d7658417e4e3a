/// A manual page in the language of man(7), as section 1.
package struct ManualPage: Sendable {
    package var program: CommandShape
    /// What stands in the page's corner.
    package var version: String
    /// Paragraphs before the options and behind them, in this order.
    package var description: [String]
    package var sections: [(title: String, paragraphs: [String])]
    package var examples: [String]

    package init(
        _ program: CommandShape, version: String, description: [String],
        sections: [(title: String, paragraphs: [String])], examples: [String]
    ) {
        self.program = program
        self.version = version
        self.description = description
        self.sections = sections
        self.examples = examples
    }

    package var text: String {
        var lines = [
            ".TH \(program.name.uppercased()) 1 \"\" \"\(escaped(version))\"", ".SH NAME",
            "\(escaped(program.name)) \\- \(escaped(program.summary))", ".SH SYNOPSIS",
        ]
        lines += synopsis(program.name, program.usage)
        for command in program.commands {
            lines += [".br"] + synopsis("\(program.name) \(command.name)", command.usage)
        }
        lines.append(".SH DESCRIPTION")
        lines += paragraphs(description)
        lines.append(".SH COMMANDS")
        for command in program.commands {
            lines += [".TP", ".B \(escaped(command.name))", escaped(command.summary)]
        }
        lines.append(".SH OPTIONS")
        lines += options(program)
        for command in program.commands where !command.groups.isEmpty {
            lines.append(".SH OPTIONS OF \(escaped(command.name.uppercased()))")
            lines += options(command)
        }
        for section in sections {
            lines.append(".SH \(escaped(section.title.uppercased()))")
            lines += paragraphs(section.paragraphs)
        }
        lines += [".SH EXAMPLES"]
        for example in examples { lines += [".PP", ".nf", escaped(example), ".fi"] }
        return lines.joined(separator: "\n") + "\n"
    }

    private func synopsis(_ name: String, _ usage: String) -> [String] {
        [".B \(escaped(name))"] + (usage.isEmpty ? [] : [escaped(usage)])
    }

    private func paragraphs(_ texts: [String]) -> [String] {
        texts.flatMap { [".PP", escaped($0)] }
    }

    private func options(_ command: CommandShape) -> [String] {
        command.groups.flatMap { group in
            [".SS \(escaped(group.title))"] + group.options.flatMap(entry)
        }
    }

    private func entry(_ option: OptionShape) -> [String] {
        let names = option.spellings.map { "\\fB\(escaped($0))\\fR" }.joined(separator: ", ")
        let value = option.value.map { " \\fI\(escaped($0))\\fR" } ?? ""
        return [".TP", names + value, escaped(option.help)]
    }

    /// In ASCII, which is all that troff reads, with hyphens as they are typed, and no line that is
    /// taken for a request.
    private func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\e"
            case "-": result += "\\-"
            case _ where scalar.isASCII: result.unicodeScalars.append(scalar)
            default:
                let digits = String(scalar.value, radix: 16, uppercase: true)
                result += "\\[u\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)]"
            }
        }
        return result.hasPrefix(".") || result.hasPrefix("'") ? "\\&" + result : result
    }
}
