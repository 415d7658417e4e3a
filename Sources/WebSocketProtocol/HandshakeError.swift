import HTTPProtocol

/// The errors of an opening handshake (RFC 6455 §4.1 and §4.2.1).
public enum HandshakeError: Error, Sendable, Hashable, CustomStringConvertible {
    /// No `Upgrade: websocket`: a plain request for what only speaks WebSocket.
    case notAnUpgrade
    case connectionWithoutUpgrade
    case wrongMethod(String)
    case wrongHTTPVersion(HTTPVersion)
    case missingHost
    case hasBody
    case missingVersion
    case unsupportedVersion(String)
    case missingKey
    case duplicateKey(count: Int)
    case malformedKey(String)
    case malformedSubprotocols(String)
    case duplicateSubprotocol(String)
    case malformedExtensions(String)
    // From here on: what a client finds wrong in the response.
    case refused(Status)
    case missingAcceptKey
    case wrongAcceptKey(String)
    case unofferedSubprotocol(String)
    case unofferedExtension(String)
    /// The server accepted an extension with parameters that match none of the offers.
    case invalidExtensionAnswer(String)
    // From here on: what a client cannot send.
    case unsendableField(FieldError)
    case unsendableRequest(RequestError)

    /// The status of a server's response. For errors that only a client finds: 502, as in a proxy.
    public var status: Status {
        switch self {
        case .notAnUpgrade:
            .upgradeRequired
        case .refused, .missingAcceptKey, .wrongAcceptKey, .unofferedSubprotocol,
            .unofferedExtension, .invalidExtensionAnswer, .unsendableField, .unsendableRequest:
            .badGateway
        default:
            .badRequest
        }
    }

    /// Whether a client cannot send its request, rather than that the other side's head is wrong.
    public var isOfRequest: Bool {
        switch self {
        case .unsendableField, .unsendableRequest, .malformedSubprotocols, .duplicateSubprotocol:
            true
        default: false
        }
    }

    /// The fields that this response has to have.
    public var fields: Fields {
        switch self {
        case .notAnUpgrade:
            // RFC 9110 §15.5.22: a server that sends 426 MUST send Upgrade, and §7.8: with it MUST
            // go the connection option.
            ["Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"]
        case .unsupportedVersion:
            // RFC 6455 §4.4: the server MUST name the versions it understands.
            ["Sec-WebSocket-Version": "13"]
        default:
            [:]
        }
    }

    public var description: String {
        switch self {
        case .notAnUpgrade:
            "There is no Upgrade field that names websocket."
        case .connectionWithoutUpgrade:
            "There is no Connection field that names Upgrade."
        case .wrongMethod(let method):
            "The method is \(method), not GET."
        case .wrongHTTPVersion(let version):
            "The version is \(version), not HTTP/1.1."
        case .missingHost:
            "There is no Host field."
        case .hasBody:
            "The request has a body."
        case .missingVersion:
            "There is no Sec-WebSocket-Version field."
        case .unsupportedVersion(let version):
            "The Sec-WebSocket-Version is \(version.debugDescription), not 13."
        case .missingKey:
            "There is no Sec-WebSocket-Key field."
        case .duplicateKey(let count):
            "There are \(count) Sec-WebSocket-Key fields."
        case .malformedKey(let key):
            "The Sec-WebSocket-Key \(key.debugDescription) is not the base64 of 16 bytes."
        case .malformedSubprotocols(let value):
            "The Sec-WebSocket-Protocol \(value.debugDescription) is not a list of tokens."
        case .duplicateSubprotocol(let name):
            "The Sec-WebSocket-Protocol names \(name) twice."
        case .malformedExtensions(let value):
            "The Sec-WebSocket-Extensions \(value.debugDescription) is not a list of extensions."
        case .refused(let status):
            "The server answered \(status)."
        case .missingAcceptKey:
            "The answer has no Sec-WebSocket-Accept field."
        case .wrongAcceptKey(let value):
            "The Sec-WebSocket-Accept \(value.debugDescription) does not belong to the key."
        case .unofferedSubprotocol(let name):
            "The answer chose the subprotocol \(name.debugDescription), which was not offered."
        case .unofferedExtension(let name):
            "The answer accepted the extension \(name.debugDescription), which was not offered."
        case .invalidExtensionAnswer(let answer):
            "The answer \(answer.debugDescription) fits no extension that was offered."
        case .unsendableField(let error):
            error.description
        case .unsendableRequest(let error):
            error.description
        }
    }
}
