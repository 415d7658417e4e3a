/// A status code with its reason phrase (RFC 9110 §15, RFC 9112 §4).
///
/// Two are equal if their codes are: the phrase is for people.
public struct Status: Sendable, CustomStringConvertible {
    /// 100…999.
    public let code: Int
    /// May be empty.
    public let reasonPhrase: String

    /// - Parameters:
    ///   - code: three digits, `status-code = 3DIGIT` without the leading zeros.
    ///   - reasonPhrase: `nil` for the registered one (empty if the code is not registered).
    /// - Returns: `nil` if the code is not in 100…999 or the phrase has a control character other
    ///   than a tab.
    public init?(_ code: Int, reasonPhrase: String? = nil) {
        let phrase = reasonPhrase ?? Self.registeredPhrase(code)
        guard (100...999).contains(code),
            phrase.utf8.allSatisfy(HeaderGrammar.isFieldValueByte)
        else { return nil }
        self.code = code
        self.reasonPhrase = phrase
    }

    private init(registered code: Int) {
        self.code = code
        reasonPhrase = Self.registeredPhrase(code)
    }

    /// `101 Switching Protocols`.
    public var description: String {
        reasonPhrase.isEmpty ? "\(code)" : "\(code) \(reasonPhrase)"
    }
}

extension Status: Hashable {
    public static func == (first: Self, second: Self) -> Bool { first.code == second.code }

    public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}

extension Status {
    public static let `continue` = Status(registered: 100)
    public static let switchingProtocols = Status(registered: 101)
    public static let ok = Status(registered: 200)
    public static let created = Status(registered: 201)
    public static let accepted = Status(registered: 202)
    public static let noContent = Status(registered: 204)
    public static let partialContent = Status(registered: 206)
    public static let movedPermanently = Status(registered: 301)
    public static let found = Status(registered: 302)
    public static let seeOther = Status(registered: 303)
    public static let notModified = Status(registered: 304)
    public static let temporaryRedirect = Status(registered: 307)
    public static let permanentRedirect = Status(registered: 308)
    public static let badRequest = Status(registered: 400)
    public static let unauthorized = Status(registered: 401)
    public static let forbidden = Status(registered: 403)
    public static let notFound = Status(registered: 404)
    public static let methodNotAllowed = Status(registered: 405)
    public static let notAcceptable = Status(registered: 406)
    public static let requestTimeout = Status(registered: 408)
    public static let conflict = Status(registered: 409)
    public static let gone = Status(registered: 410)
    public static let lengthRequired = Status(registered: 411)
    public static let preconditionFailed = Status(registered: 412)
    public static let contentTooLarge = Status(registered: 413)
    public static let uriTooLong = Status(registered: 414)
    public static let unsupportedMediaType = Status(registered: 415)
    public static let rangeNotSatisfiable = Status(registered: 416)
    public static let expectationFailed = Status(registered: 417)
    public static let misdirectedRequest = Status(registered: 421)
    public static let upgradeRequired = Status(registered: 426)
    public static let tooManyRequests = Status(registered: 429)
    public static let requestHeaderFieldsTooLarge = Status(registered: 431)
    public static let internalServerError = Status(registered: 500)
    public static let notImplemented = Status(registered: 501)
    public static let badGateway = Status(registered: 502)
    public static let serviceUnavailable = Status(registered: 503)
    public static let gatewayTimeout = Status(registered: 504)
    public static let httpVersionNotSupported = Status(registered: 505)

    /// The phrase in the IANA registry of status codes; empty for a code that is not listed here.
    private static func registeredPhrase(_ code: Int) -> String {
        switch code {
        case 100: "Continue"
        case 101: "Switching Protocols"
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 206: "Partial Content"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 303: "See Other"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 411: "Length Required"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 416: "Range Not Satisfiable"
        case 417: "Expectation Failed"
        case 421: "Misdirected Request"
        case 426: "Upgrade Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: ""
        }
    }
}
