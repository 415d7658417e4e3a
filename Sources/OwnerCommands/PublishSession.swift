import HTTPProtocol

/// The requests of one run of `publish`, as values: messages in and bytes out; answers in and what
/// they mean out.
///
/// Several requests are under way at a time. They are answered in their order. Each is in one of
/// these states:
///
/// | state    | is left when                                    | for                           |
/// | -------- | ----------------------------------------------- | ----------------------------- |
/// | unsent   | its last byte was sent                          | sent                          |
/// | sent     | it is answered with 2xx or a refusal            | (forgotten)                   |
/// | these two | an answer ends the connection before its own   | unsent, on the next one       |
/// | unsent   | the connection breaks                           | unsent, on the next one       |
/// | sent     | the connection breaks                           | lost: perhaps it was published |
///
/// A server process that is replaced says so, and none that is told so is lost. One that is killed
/// cannot.
struct PublishSession {
    /// What came of the oldest request that was not answered.
    enum Outcome: Equatable {
        case published
        /// This message is not possible, another one may be.
        case refused(messageNumber: Int, reason: String)
        /// None is.
        case failed(Status, reason: String)
        /// The connection ends; ``reconnected()`` before anything else.
        case connectionEnds
    }

    private struct Request {
        let messageNumber: Int
        let bytes: [UInt8]
    }

    private let target: String
    /// In their order; the first is answered next.
    private var requests: [Request] = []
    private var requestByteCount = 0
    /// How many of them, counted from the first, were sent to their last byte.
    private var sentCount = 0
    /// How many bytes of the next one were sent.
    private var sentByteCount = 0
    private var parser = ResponseHeadParser()
    private var answer: (head: ResponseHead, body: RequestBodyReader)?

    /// Requests under way; more wait until these are answered.
    static let requestLimit = 256
    /// Of all of them together; a longer one goes alone.
    static let requestByteLimit = 262_144
    /// Of an answer: a sentence, or counts.
    static let answerByteLimit = 65_536

    /// - Parameter topic: its name.
    init(topic: String) { target = "/topics/" + ResourcePath.percentEncoded(topic) }

    /// Nothing waits for an answer.
    var isIdle: Bool { requests.isEmpty }
    var hasOutput: Bool { sentCount < requests.count }

    /// The oldest that was not answered.
    var firstMessageNumber: Int? { requests.first?.messageNumber }

    var mayTakeMore: Bool {
        requests.count < Self.requestLimit && requestByteCount < Self.requestByteLimit
    }

    /// - Parameter messageNumber: for what is said of it, ascending.
    mutating func publish(_ message: [UInt8], isBinary: Bool, messageNumber: Int) {
        var head = "POST \(target) HTTP/1.1\r\nHost: localhost\r\n"
        if isBinary { head += "Content-Type: application/octet-stream\r\n" }
        head += "Content-Length: \(message.count)\r\n\r\n"
        let request = Request(messageNumber: messageNumber, bytes: Array(head.utf8) + message)
        requests.append(request)
        requestByteCount += request.bytes.count
    }

    // MARK: - Bytes out

    /// What is to be sent next, at most about ``requestByteLimit`` bytes or one request.
    var output: [UInt8] {
        var bytes: [UInt8] = []
        for request in requests[sentCount...] {
            bytes += request.bytes
            if bytes.count >= sentByteCount + Self.requestByteLimit { break }
        }
        bytes.removeFirst(min(sentByteCount, bytes.count))
        return bytes
    }

    /// So many bytes of ``output`` were sent.
    mutating func sent(_ byteCount: Int) {
        sentByteCount += byteCount
        while sentCount < requests.count, sentByteCount >= requests[sentCount].bytes.count {
            sentByteCount -= requests[sentCount].bytes.count
            sentCount += 1
        }
    }

    // MARK: - Bytes in

    /// - Throws: ``PublishProtocolError`` for what is no answer.
    mutating func received(
        _ bytes: UnsafeRawBufferPointer
    ) throws(PublishProtocolError) -> [Outcome] {
        var outcomes: [Outcome] = []
        var rest = bytes
        while !rest.isEmpty {
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(try takePart(rest)))
            guard let (head, body) = answer, body.isComplete else { continue }
            answer = nil
            guard head.status.code >= 200 else { continue }
            let outcome = outcome(of: head, body.content)
            outcomes += outcome
            if outcome.last == .connectionEnds { break }
        }
        return outcomes
    }

    /// - Returns: how many bytes belong to the answer that is being read.
    private mutating func takePart(
        _ bytes: UnsafeRawBufferPointer
    ) throws(PublishProtocolError) -> Int {
        do {
            if let count = try answer?.body.read(bytes) { return count }
            guard case .complete(let head, let count) = try parser.parse(bytes) else {
                return bytes.count
            }
            let framing: BodyFraming =
                head.fields["Content-Length"].flatMap { Int($0) }.map { .length($0) } ?? .none
            answer = (head, try RequestBodyReader(framing, byteLimit: Self.answerByteLimit))
            return count
        } catch {
            throw PublishProtocolError(description: "\(error)")
        }
    }

    private mutating func outcome(of head: ResponseHead, _ body: [UInt8]) -> [Outcome] {
        let ends = head.fields.hasElement("close", in: "Connection")
        let number = requests.first?.messageNumber ?? 0
        let reason = Self.firstLine(body)
        var outcomes: [Outcome] = []
        switch head.status {
        case .serviceUnavailable, .requestTimeout:
            // Not done, and may be asked for again. It may also come unasked.
            return [.connectionEnds]
        case _ where requests.isEmpty, _ where sentCount == 0 && sentByteCount == 0:
            return [.failed(head.status, reason: "an answer to nothing")]
        case .accepted:
            outcomes = [.published]
        case .contentTooLarge:
            outcomes = [.refused(messageNumber: number, reason: reason)]
        default:
            return [.failed(head.status, reason: reason)]
        }
        removeFirst()
        return ends ? outcomes + [.connectionEnds] : outcomes
    }

    private mutating func removeFirst() {
        requestByteCount -= requests.removeFirst().bytes.count
        sentCount = max(0, sentCount - 1)
    }

    private static func firstLine(_ body: [UInt8]) -> String {
        String(decoding: body.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    // MARK: - Another connection

    /// What was not answered is sent again, for the server said that it did not do it.
    mutating func reconnected() {
        sentCount = 0
        sentByteCount = 0
        parser = ResponseHeadParser()
        answer = nil
    }

    /// The connection broke. What was sent is given up: a message that was published already is not
    /// to be published twice.
    ///
    /// - Returns: the numbers of the messages that are lost, or were published without our knowing.
    mutating func broke() -> [Int] {
        let lost = requests[..<sentCount].map(\.messageNumber)
        while sentCount > 0 { removeFirst() }
        reconnected()
        return lost
    }
}

/// What the other side sent is no answer.
struct PublishProtocolError: Error, CustomStringConvertible {
    let description: String
}
