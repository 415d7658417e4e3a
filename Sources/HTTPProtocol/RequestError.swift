/// What can be wrong with the lines of any head, a request's or a response's.
public enum HeadError: Error, Sendable, Hashable, CustomStringConvertible {
    case headTooLong(byteLimit: Int)
    case tooManyFields(countLimit: Int)
    case leadingEmptyLine
    case bareLineFeed
    case bareCarriageReturn
    case foldedLine
    case missingColon
    case invalidNameByte(UInt8)
    case invalidValueByte(UInt8)

    public var description: String {
        switch self {
        case .headTooLong(let byteLimit):
            "The head is longer than \(byteLimit) bytes."
        case .tooManyFields(let countLimit):
            "The head has more than \(countLimit) fields."
        case .leadingEmptyLine:
            "There are empty lines before the first line."
        case .bareLineFeed:
            "A line ends with LF alone, not with CR LF."
        case .bareCarriageReturn:
            "There is a CR that no LF follows."
        case .foldedLine:
            "A field line begins with white space."
        case .missingColon:
            "A field line has no colon."
        case .invalidNameByte(let byte):
            "A field name has the byte \(hex(byte))."
        case .invalidValueByte(let byte):
            "A field value has the byte \(hex(byte))."
        }
    }
}

/// Every way a request head can be wrong, and the status to refuse it with.
public enum RequestError: Error, Sendable, Hashable, CustomStringConvertible {
    case head(HeadError)
    case requestLineTooLong(byteLimit: Int)
    case malformedRequestLine
    case invalidMethod(String)
    case invalidTargetByte(UInt8)
    case unsupportedVersion(HTTPVersion)
    /// For a server, which asks `RequestHead.lacksHost`: the parser does not throw it.
    case missingHost
    case duplicateHost(count: Int)
    case invalidHost(String)
    case duplicateContentLength(count: Int)
    case invalidContentLength(String)
    case contentLengthWithTransferEncoding
    case transferEncodingInOldVersion(HTTPVersion)
    case invalidTransferEncoding(String)
    case unsupportedTransferEncoding(String)

    /// What a server answers with.
    public var status: Status {
        switch self {
        case .head(.headTooLong), .head(.tooManyFields): .requestHeaderFieldsTooLarge
        case .requestLineTooLong: .uriTooLong
        case .unsupportedVersion: .httpVersionNotSupported
        case .unsupportedTransferEncoding: .notImplemented
        default: .badRequest
        }
    }

    public var description: String {
        switch self {
        case .head(let error):
            error.description
        case .requestLineTooLong(let byteLimit):
            "The request line is longer than \(byteLimit) bytes."
        case .malformedRequestLine:
            "The request line is not a method, a target and a version with one space between them."
        case .invalidMethod(let method):
            "The method \(method.debugDescription) is not a token."
        case .invalidTargetByte(let byte):
            "The request target has the byte \(hex(byte))."
        case .unsupportedVersion(let version):
            "The version is \(version), not HTTP/1.1."
        case .missingHost:
            "There is no Host field."
        case .duplicateHost(let count):
            "There are \(count) Host fields."
        case .invalidHost(let host):
            "The Host field \(host.debugDescription) is not a host with an optional port."
        case .duplicateContentLength(let count):
            "There are \(count) Content-Length fields."
        case .invalidContentLength(let value):
            "The Content-Length \(value.debugDescription) is not a number."
        case .contentLengthWithTransferEncoding:
            "There are both Content-Length and Transfer-Encoding."
        case .transferEncodingInOldVersion(let version):
            "There is a Transfer-Encoding in a request of \(version)."
        case .invalidTransferEncoding(let value):
            "The Transfer-Encoding \(value.debugDescription) does not end with one chunked."
        case .unsupportedTransferEncoding(let value):
            "The Transfer-Encoding \(value.debugDescription) is not supported, only chunked is."
        }
    }
}

/// Every way a response head can be wrong, for the client.
public enum ResponseError: Error, Sendable, Hashable, CustomStringConvertible {
    case head(HeadError)
    case malformedStatusLine
    case unsupportedVersion(HTTPVersion)

    public var description: String {
        switch self {
        case .head(let error):
            error.description
        case .malformedStatusLine:
            "The status line is not a version, a code of three digits and a reason phrase."
        case .unsupportedVersion(let version):
            "The version is \(version), not HTTP/1.1."
        }
    }
}

private func hex(_ byte: UInt8) -> String {
    "0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
}
