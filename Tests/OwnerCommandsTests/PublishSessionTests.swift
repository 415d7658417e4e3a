import HTTPProtocol
import Testing

@testable import OwnerCommands

@Suite("The requests of publish")
struct PublishSessionTests {
    static func answer(_ status: String, _ body: String = "", _ fields: String = "") -> [UInt8] {
        Array(
            "HTTP/1.1 \(status)\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
    }

    static let done = answer("202 Accepted", "{}\n")
    static let leaving = answer("503 Service Unavailable", "x\n", "Connection: close\r\n")

    /// A session that has sent requests for these messages.
    private func session(_ texts: [String], sent byteCount: Int = .max) -> PublishSession {
        var session = PublishSession(topic: "a b/ü")
        for (index, text) in texts.enumerated() {
            session.publish(Array(text.utf8), isBinary: false, messageNumber: index + 1)
        }
        session.sent(min(byteCount, session.output.count))
        return session
    }

    private func receive(
        _ bytes: [UInt8], _ session: inout PublishSession, _ pieceByteCount: Int = .max
    ) throws -> [PublishSession.Outcome] {
        var outcomes: [PublishSession.Outcome] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(pieceByteCount))
            rest = rest.dropFirst(pieceByteCount)
            outcomes += try piece.withUnsafeBytes { try session.received($0) }
        }
        return outcomes
    }

    private func text(_ session: PublishSession) -> String {
        String(decoding: session.output, as: UTF8.self)
    }

    @Test("a request's bytes")
    func request() {
        var session = PublishSession(topic: "a b/ü?")
        session.publish(Array("é".utf8), isBinary: false, messageNumber: 1)
        #expect(
            text(session)
                == "POST /topics/a%20b/%C3%BC%3F HTTP/1.1\r\nHost: localhost\r\n"
                + "Content-Length: 2\r\n\r\né")
        session.sent(session.output.count)
        session.publish([], isBinary: true, messageNumber: 2)
        #expect(
            text(session)
                == "POST /topics/a%20b/%C3%BC%3F HTTP/1.1\r\nHost: localhost\r\n"
                + "Content-Type: application/octet-stream\r\nContent-Length: 0\r\n\r\n")
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let bytes: [UInt8]
        let outcomes: [PublishSession.Outcome]
        /// What is sent again on the next connection.
        let again: [Int]
    }

    /// Three messages were sent.
    static let cases = [
        Case(
            testDescription: "all were published", bytes: done + done + done,
            outcomes: [.published, .published, .published], again: []),
        Case(
            testDescription: "the process leaves", bytes: done + leaving,
            outcomes: [.published, .connectionEnds], again: [2, 3]),
        Case(
            testDescription: "the process leaves at once", bytes: leaving,
            outcomes: [.connectionEnds], again: [1, 2, 3]),
        Case(
            testDescription: "the last answer of a connection",
            bytes: answer("202 Accepted", "{}\n", "Connection: close\r\n"),
            outcomes: [.published, .connectionEnds], again: [2, 3]),
        Case(
            testDescription: "one is too long",
            bytes: done
                + answer("413 Content Too Large", "too long.\nmore\n", "Connection: close\r\n"),
            outcomes: [
                .published, .refused(messageNumber: 2, reason: "too long."), .connectionEnds,
            ], again: [3]),
        Case(
            testDescription: "the request took too long",
            bytes: answer("408 Request Timeout", "x\n", "Connection: close\r\n"),
            outcomes: [.connectionEnds], again: [1, 2, 3]),
        Case(
            testDescription: "no valid name", bytes: answer("400 Bad Request", "the name\n"),
            outcomes: [.failed(.badRequest, reason: "the name")], again: [1, 2, 3]),
        Case(
            testDescription: "first a 100", bytes: answer("100 Continue") + done,
            outcomes: [.published], again: [2, 3]),
    ]

    @Test("answers, however they are cut", arguments: cases)
    func answers(_ row: Case) throws {
        for pieceByteCount in 1...row.bytes.count {
            var session = session(["1", "2", "3"])
            #expect(try receive(row.bytes, &session, pieceByteCount) == row.outcomes)
            session.reconnected()
            #expect(session.firstMessageNumber == row.again.first)
            #expect(text(session).split(separator: "POST").count == row.again.count)
            #expect(session.isIdle == row.again.isEmpty)
        }
    }

    @Test("where a connection breaks, what was sent whole is lost, and the rest is sent again")
    func breaks() throws {
        let requestByteCount = text(session([""], sent: 0)).utf8.count + 1
        for sentByteCount in 0...3 * requestByteCount {
            var session = session(["1", "2", "3"], sent: sentByteCount)
            let sentCount = sentByteCount / requestByteCount
            #expect(session.broke() == Array(1..<sentCount + 1))
            #expect(text(session).split(separator: "POST").count == 3 - sentCount)
            #expect(session.isIdle == (sentCount == 3))
        }
        var answered = session(["1", "2", "3"])
        #expect(try receive(Self.done + Self.done.dropLast(), &answered) == [.published])
        #expect(answered.broke() == [2, 3])
    }

    @Test("a refusal of what is not sent to its end, and an end that nobody asked for")
    func early() throws {
        var session = session(["1"], sent: 3)
        let refusal = Self.answer("413 Content Too Large", "x\n", "Connection: close\r\n")
        #expect(
            try receive(refusal, &session)
                == [.refused(messageNumber: 1, reason: "x"), .connectionEnds])
        session.reconnected()
        #expect(session.isIdle && session.output == [])
        #expect(try receive(Self.leaving, &session) == [.connectionEnds])
        session.reconnected()
        #expect(
            try receive(Self.done, &session)
                == [.failed(.accepted, reason: "an answer to nothing")])
    }

    @Test("so much is under way and no more")
    func limits() throws {
        var session = PublishSession(topic: "t")
        var count = 0
        while session.mayTakeMore {
            count += 1
            session.publish([0x61], isBinary: false, messageNumber: count)
        }
        #expect(count == PublishSession.requestLimit)
        session.sent(session.output.count)
        #expect(try receive(Self.done, &session) == [.published])
        #expect(session.mayTakeMore)
        var long = PublishSession(topic: "t")
        long.publish(
            Array(repeating: 0x61, count: PublishSession.requestByteLimit), isBinary: false,
            messageNumber: 1)
        #expect(!long.mayTakeMore)
    }

    @Test("what is no answer", arguments: ["SSH-2.0-x\r\n\r\n", "HTTP/1.1 202 x\nContent\r\n\r\n"])
    func other(_ text: String) {
        var session = session(["1"])
        #expect(throws: PublishProtocolError.self) { try receive(Array(text.utf8), &session) }
    }
}
