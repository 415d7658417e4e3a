import Glibc

/// How a log line looks.
public enum LogFormat: String, Sendable, CaseIterable {
    /// `2026-03-01 12:00:00.123 info message`, in local time.
    case text
    /// One JSON object (RFC 8259) per line: `time` (RFC 3339, UTC), `level`, `message`; lines about
    /// a connection that opens or closes have more members.
    case json
}

/// A member of a line's JSON object.
package struct LogField: Sendable, Hashable {
    package enum Value: Sendable, Hashable {
        case text(String)
        case number(Int)
        case flag(Bool)
    }

    let name: String
    let value: Value
}

extension LogFormat {
    /// A whole line with its end.
    func line(
        _ level: LogLevel, _ message: String, _ fields: [LogField], _ moment: LogMoment
    ) -> String {
        switch self {
        case .text:
            var line = LineText(level, moment)
            line.append(text: message)
            line.append("\n")
            return line.text
        case .json:
            var line = "{\"time\":\"\(moment.utc)\",\"level\":\"\(level.name)\",\"message\":"
            Self.append(message, to: &line)
            for field in fields {
                line += ",\"\(field.name)\":"
                switch field.value {
                case .text(let text): Self.append(text, to: &line)
                case .number(let number): line += "\(number)"
                case .flag(let flag): line += "\(flag)"
                }
            }
            return line + "}\n"
        }
    }

    /// Adds a JSON string, with its quotation marks.
    ///
    /// RFC 8259 §7: quotation marks, backslashes and control characters MUST be escaped.
    package static func append(_ text: String, to line: inout String) {
        line += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": line += "\\\""
            case "\\": line += "\\\\"
            case "\n": line += "\\n"
            case "\r": line += "\\r"
            case "\t": line += "\\t"
            case "\0"..<" ", "\u{7F}", "\u{2028}", "\u{2029}":
                line += "\\u" + padded(String(scalar.value, radix: 16), 4)
            default: line.unicodeScalars.append(scalar)
            }
        }
        line += "\""
    }
}

/// A moment as log lines show it, to the millisecond.
struct LogMoment {
    let seconds: Int
    let milliseconds: Int

    static func now() -> Self {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Self(seconds: time.tv_sec, milliseconds: time.tv_nsec / 1_000_000)
    }

    /// `2026-03-01 12:00:00.123`.
    var local: String {
        var (time, parts) = (time_t(seconds), tm())
        localtime_r(&time, &parts)
        return text(parts, between: UInt8(ascii: " "))
    }

    /// RFC 3339 §5.6: `2026-03-01T12:00:00.123Z`.
    var utc: String {
        var (time, parts) = (time_t(seconds), tm())
        gmtime_r(&time, &parts)
        return text(parts, between: UInt8(ascii: "T")) + "Z"
    }

    /// Digit by digit into one text: each line has a moment, and interpolation takes its time.
    private func text(_ parts: tm, between separator: UInt8) -> String {
        String(unsafeUninitializedCapacity: 23) { buffer in
            var count = 0
            func put(_ number: Int, width: Int, _ next: UInt8? = nil) {
                var rest = number
                for place in (count..<count + width).reversed() {
                    buffer[place] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
                    rest /= 10
                }
                count += width
                if let next {
                    buffer[count] = next
                    count += 1
                }
            }
            put(Int(parts.tm_year) + 1900, width: 4, UInt8(ascii: "-"))
            put(Int(parts.tm_mon) + 1, width: 2, UInt8(ascii: "-"))
            put(Int(parts.tm_mday), width: 2, separator)
            put(Int(parts.tm_hour), width: 2, UInt8(ascii: ":"))
            put(Int(parts.tm_min), width: 2, UInt8(ascii: ":"))
            put(Int(parts.tm_sec), width: 2, UInt8(ascii: "."))
            put(milliseconds, width: 3)
            return count
        }
    }
}

private func padded(_ value: some CustomStringConvertible, _ width: Int) -> String {
    let digits = value.description
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}
