/// Makes text from outside safe to print on one line: control characters, and those that change the
/// direction of writing, become escapes.
///
/// - Parameter limit: characters of the text that are shown; the rest is counted.
public func escaped(_ text: String, limit: Int = 200) -> String {
    var result = ""
    var count = 0
    for scalar in text.unicodeScalars {
        if count == limit { return result + "… (\(text.unicodeScalars.count) characters)" }
        count += 1
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse:
            result += scalar.escaped(asASCII: true)
        default:
            result += scalar == "\\" ? "\\\\" : String(scalar)
        }
    }
    return result
}

/// The text as a JSON string, with its quotation marks.
///
/// RFC 8259 §7: quotation marks, backslashes and control characters MUST be escaped.
package func quotedAsJSON(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case "\0"..<" ", "\u{7F}", "\u{2028}", "\u{2029}":
            let digits = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}
