/// The grammar that field values share, each rule beside its ABNF.
public enum HeaderGrammar {
    /// RFC 9110 §5.6.2: `tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" /
    /// "_" / "`" / "|" / "~" / DIGIT / ALPHA`.
    public static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"),
            UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "_"),
            UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default:
            false
        }
    }

    /// RFC 9110 §5.6.2: `token = 1*tchar`.
    public static func isToken(_ text: String) -> Bool {
        let bytes = text.utf8.span
        return !bytes.isEmpty && bytes.allSatisfy(isTokenByte)
    }

    /// RFC 9110 §5.5: `field-vchar = VCHAR / obs-text`, and between them `SP / HTAB`.
    ///
    /// What is left out are the controls: CR, LF and NUL above all.
    public static func isFieldValueByte(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != 0x7F || byte == Byte.tab
    }

    /// Whether two texts differ at most in the case of ASCII letters.
    public static func equalsIgnoringCase(_ first: String, _ second: String) -> Bool {
        first.utf8.span.equalsIgnoringCase(second.utf8.span)
    }

    /// Splits a list at the commas that are outside quoted strings.
    ///
    /// RFC 9110 §5.6.1: `#element = [ element ] *( OWS "," OWS [ element ] )`; "a recipient MUST
    /// parse and ignore a reasonable number of empty list elements".
    ///
    /// - Returns: the elements without the white space around them; `nil` if a quoted string is
    ///   not closed.
    public static func elements(of value: String) -> [String]? {
        var elements: [String] = []
        var element: [UInt8] = []
        var isQuoted = false
        var isEscaped = false
        for byte in value.utf8 {
            if byte == Byte.comma && !isQuoted {
                appendTrimmed(element, to: &elements)
                element.removeAll(keepingCapacity: true)
                continue
            }
            element.append(byte)
            if isEscaped {
                isEscaped = false
            } else if byte == Byte.quote {
                isQuoted.toggle()
            } else if byte == Byte.backslash {
                isEscaped = isQuoted
            }
        }
        appendTrimmed(element, to: &elements)
        return isQuoted ? nil : elements
    }

    /// Reads a list whose elements are names with parameters.
    ///
    /// RFC 9110 §5.6.6: `parameters = *( OWS ";" OWS [ parameter ] )`, `parameter = token "="
    /// ( token / quoted-string )`. RFC 6455 §9.1 lets a parameter stand without a value, and asks
    /// for the grammar of RFC 2616, which allows white space around "=".
    ///
    /// - Returns: `nil` if the value does not follow the grammar; an empty array if it holds
    ///   nothing but white space and commas.
    public static func parameterizedElements(of value: String) -> [ParameterizedElement]? {
        var elements: [ParameterizedElement] = []
        let isWellFormed = forEachParameterizedElement(of: value) { name, parameters in
            elements.append(ParameterizedElement(name: name, parameters: parameters))
            return true
        }
        return isWellFormed ? elements : nil
    }

    /// Reads a list as `parameterizedElements(of:)` does, and hands over each element as it is
    /// read.
    ///
    /// - Returns: `false` if the value does not follow the grammar, or as soon as `body` refuses an
    ///   element.
    public static func forEachParameterizedElement(
        of value: String, _ body: (_ name: String, _ parameters: [Parameter]) -> Bool
    ) -> Bool {
        let bytes = value.utf8.span
        var scanner = HeaderScanner()
        while true {
            scanner.skipWhitespace(bytes)
            if scanner.skip(Byte.comma, bytes) { continue }
            if scanner.isAtEnd(bytes) { return true }
            guard let name = scanner.token(bytes), let parameters = scanner.parameters(bytes),
                body(name, parameters), scanner.isAtEnd(bytes) || scanner.skip(Byte.comma, bytes)
            else { return false }
        }
    }

    private static func appendTrimmed(_ element: [UInt8], to elements: inout [String]) {
        let text = Byte.trimmed(element[...])
        if !text.isEmpty { elements.append(String(decoding: text, as: UTF8.self)) }
    }
}

/// `name;key=value;key="quoted"`, one element of a list.
public struct ParameterizedElement: Sendable, Hashable {
    /// A token.
    public var name: String
    /// In their order; a name may come twice.
    public var parameters: [Parameter]

    /// The element as given: nothing is checked.
    public init(name: String, parameters: [Parameter] = []) {
        self.name = name
        self.parameters = parameters
    }
}

/// `key=value`, or a key alone.
public struct Parameter: Sendable, Hashable {
    /// A token.
    public var name: String
    /// Without the quotes and backslashes it may have been sent with; `nil` if there was no "=".
    public var value: String?

    /// The parameter as given: nothing is checked.
    public init(_ name: String, _ value: String? = nil) {
        self.name = name
        self.value = value
    }
}

/// Reads a field value from left to right. The bytes are borrowed, so each call gets them.
private struct HeaderScanner {
    private var offset = 0

    func isAtEnd(_ bytes: Span<UInt8>) -> Bool { offset == bytes.count }

    /// RFC 9110 §5.6.3: `OWS = *( SP / HTAB )`.
    mutating func skipWhitespace(_ bytes: Span<UInt8>) {
        while offset < bytes.count, Byte.isWhitespace(bytes[offset]) { offset += 1 }
    }

    /// Moves past `byte` if it comes next.
    mutating func skip(_ byte: UInt8, _ bytes: Span<UInt8>) -> Bool {
        guard offset < bytes.count, bytes[offset] == byte else { return false }
        offset += 1
        return true
    }

    /// RFC 9110 §5.6.6, with the white space behind them.
    mutating func parameters(_ bytes: Span<UInt8>) -> [Parameter]? {
        var parameters: [Parameter] = []
        skipWhitespace(bytes)
        while skip(Byte.semicolon, bytes) {
            skipWhitespace(bytes)
            guard let parameter = parameter(bytes) else { return nil }
            parameters.append(parameter)
            skipWhitespace(bytes)
        }
        return parameters
    }

    private mutating func parameter(_ bytes: Span<UInt8>) -> Parameter? {
        guard let name = token(bytes) else { return nil }
        skipWhitespace(bytes)
        guard skip(Byte.equals, bytes) else { return Parameter(name) }
        skipWhitespace(bytes)
        guard let value = token(bytes) ?? quotedString(bytes) else { return nil }
        return Parameter(name, value)
    }

    mutating func token(_ bytes: Span<UInt8>) -> String? {
        let start = offset
        while offset < bytes.count, HeaderGrammar.isTokenByte(bytes[offset]) { offset += 1 }
        return start == offset ? nil : bytes.extracting(start..<offset).text
    }

    /// RFC 9110 §5.6.4: `quoted-string = DQUOTE *( qdtext / quoted-pair ) DQUOTE`.
    private mutating func quotedString(_ bytes: Span<UInt8>) -> String? {
        guard skip(Byte.quote, bytes) else { return nil }
        var content: [UInt8] = []
        while offset < bytes.count {
            var byte = bytes[offset]
            offset += 1
            if byte == Byte.quote { return String(decoding: content, as: UTF8.self) }
            if byte == Byte.backslash {
                guard offset < bytes.count else { return nil }
                byte = bytes[offset]
                offset += 1
            }
            guard HeaderGrammar.isFieldValueByte(byte) else { return nil }
            content.append(byte)
        }
        return nil
    }
}
