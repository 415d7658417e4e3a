import HTTPProtocol

/// A response that refused the handshake, and its body as far as it has arrived.
struct Refusal {
    let head: ResponseHead
    private(set) var body: [UInt8] = []
    private let byteLimit: Int
    private var framing: Framing

    /// Where the body ends (RFC 9112 §6.3).
    private enum Framing {
        case length(Int)
        case chunked(RequestBodyReader)
        /// Where the server ends TCP.
        case untilEnd
    }

    /// - Parameter byteLimit: how much of the body is kept; the rest is not awaited.
    init(_ head: ResponseHead, byteLimit: Int) {
        self.head = head
        self.byteLimit = byteLimit
        framing = Self.framing(head)
    }

    private static func framing(_ head: ResponseHead) -> Framing {
        let code = head.status.code
        if code < 200 || code == 204 || code == 304 { return .length(0) }
        if let coding = head.fields["Transfer-Encoding"] {
            guard HeaderGrammar.equalsIgnoringCase(coding, "chunked"),
                let reader = try? RequestBodyReader(.chunked, byteLimit: .max)
            else { return .untilEnd }
            return .chunked(reader)
        }
        return head.fields["Content-Length"].flatMap { Int($0) }.map { .length(max($0, 0)) }
            ?? .untilEnd
    }

    /// Whether nothing more has to be awaited: the body has ended, or is as long as the limit.
    var isComplete: Bool {
        switch framing {
        case .length(let byteCount): body.count >= min(byteCount, byteLimit)
        case .chunked(let reader): reader.isComplete || body.count >= byteLimit
        case .untilEnd: body.count >= byteLimit
        }
    }

    /// Takes bytes of the body. A malformed chunk ends it.
    mutating func read(_ bytes: UnsafeRawBufferPointer) {
        guard !isComplete else { return }
        switch framing {
        case .length(let byteCount):
            body.append(contentsOf: bytes.prefix(min(byteCount, byteLimit) - body.count))
        case .untilEnd:
            body.append(contentsOf: bytes.prefix(byteLimit - body.count))
        case .chunked(var reader):
            let isSound = (try? reader.read(bytes)) != nil
            body = Array(reader.content.prefix(byteLimit))
            framing = isSound ? .chunked(reader) : .length(body.count)
        }
    }
}
