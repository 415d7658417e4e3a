extension String {
    /// A Swift string literal of this text, on one line.
    package var swiftLiteral: String { "\"\(swiftLiteralContent)\"" }

    /// What stands between the quotation marks. The compiler names a file of `#sourceLocation` so,
    /// as it does not read escapes there.
    package var swiftLiteralContent: String {
        var result = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "\\", "\"": result += "\\\(scalar)"
            case "\0"..<" ", "\u{7F}": result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
