import Logging
import WebSocketProtocol

/// The kinds of values that options take. Each function throws an error that says what is allowed.
package enum Values {
    package static func integer(
        _ text: String, _ range: ClosedRange<Int>, _ option: String
    ) throws(UsageError) -> Int {
        guard let number = Int(text), range.contains(number) else {
            throw UsageError(
                "\(option): '\(escaped(text))' is not a whole number from \(range.lowerBound) to "
                    + "\(range.upperBound)")
        }
        return number
    }

    /// Bytes, with K, M or G for 1,024 and its powers.
    package static func bytes(
        _ text: String, atLeast minimum: Int, _ option: String
    ) throws(UsageError) -> Int {
        let units: [Character: Int] = ["k": 1 << 10, "m": 1 << 20, "g": 1 << 30]
        var digits = text
        var unit = 1
        if let last = text.lowercased().last, let factor = units[last] {
            digits.removeLast()
            unit = factor
        }
        if let number = Int(digits) {
            let (bytes, overflow) = number.multipliedReportingOverflow(by: unit)
            if !overflow && bytes >= minimum { return bytes }
        }
        throw UsageError(
            "\(option): '\(escaped(text))' is not a number of bytes from \(minimum) up, "
                + "such as 65536, 64K or 16M")
    }

    /// Seconds, fractions allowed.
    ///
    /// - Parameter isZeroAllowed: whether zero is allowed and turns something off.
    package static func seconds(
        _ text: String, isZeroAllowed: Bool = false, _ option: String
    ) throws(UsageError) -> Duration {
        guard let number = Double(text), number <= 86_400, number >= (isZeroAllowed ? 0 : 0.001)
        else {
            throw UsageError(
                "\(option): '\(escaped(text))' is not a number of seconds from "
                    + "\(isZeroAllowed ? "0 (off)" : "0.001") to 86400")
        }
        return .seconds(number)
    }

    package static func compressionMode(
        _ text: String, _ option: String
    ) throws(UsageError) -> CompressionSettings.Mode {
        guard let mode = CompressionSettings.Mode(rawValue: text.lowercased()) else {
            throw notOneOf(CompressionSettings.Mode.allCases.map(\.rawValue), text, option)
        }
        return mode
    }

    package static func logLevel(
        _ text: String, _ option: String, among levels: [LogLevel] = LogLevel.allCases
    ) throws(UsageError) -> LogLevel {
        guard let level = LogLevel(name: text), levels.contains(level) else {
            throw notOneOf(levels.map(\.name), text, option)
        }
        return level
    }

    package static func logFormat(_ text: String, _ option: String) throws(UsageError) -> LogFormat
    {
        guard let format = LogFormat(rawValue: text.lowercased()) else {
            throw notOneOf(LogFormat.allCases.map(\.rawValue), text, option)
        }
        return format
    }

    package static func notOneOf(_ words: [String], _ text: String, _ option: String) -> UsageError
    {
        let hint = Nearest.hint(text.lowercased(), among: words)
        return UsageError(
            "\(option): '\(escaped(text))' is not one of \(words.joined(separator: ", "))\(hint)")
    }

    package static let flagWords = "true or false (yes or no, on or off, 1 or 0)"

    package static func flag(_ text: String, _ option: String) throws(UsageError) -> Bool {
        switch text.lowercased() {
        case "true", "yes", "on", "1": return true
        case "false", "no", "off", "0": return false
        default: throw UsageError("\(option): '\(escaped(text))' is not \(flagWords)")
        }
    }

    /// A host without a port: a name, an IPv4 address, or an IPv6 address with brackets or without.
    package static func host(_ text: String, _ option: String) throws(UsageError) -> String {
        let isAddress = text.contains("[") || text.filter { $0 == ":" }.count > 1
        let isHost = text.allSatisfy { character in
            character.isASCII && !character.isWhitespace && !"/@?#\\\"<>".contains(character)
                && (character.asciiValue ?? 0) > 32 && (isAddress || character != ":")
        }
        guard isHost, !text.isEmpty, !text.contains("[") || text.hasSuffix("]") else {
            throw UsageError(
                "\(option): '\(escaped(text))' is not a host name or address, without port")
        }
        return text
    }
}
