import EventLoop
import Glibc
import LoopTesting
import Synchronization
import Testing

@testable import TopicBus

@Suite("What server processes ask each other")
struct QuestionTests {
    /// Answers are noted in the order in which they come.
    private typealias Answers = Watched<[String?]>

    private func ask(
        _ process: Process, _ other: UInt64, _ question: String, _ answers: Answers
    ) throws {
        try process.loop {
            process.bus.ask(other, question) { answer in answers.update { $0.append(answer) } }
        }
    }

    private func answer(
        _ process: Process, _ body: @escaping @Sendable (String) -> String
    ) throws {
        try process.loop {
            process.bus.onQuestion = { question, then in then(body(question)) }
        }
    }

    private static var patient: BusSettings {
        var settings = BusSettings.small
        settings.questionTimeout = .seconds(100)
        return settings
    }

    @Test("an answer of any length comes as it was given", arguments: [0, 1, 65_536, 1_000_000])
    func answering(byteCount: Int) throws {
        try withTwo(Self.patient) { first, second in
            try answer(second) { "\($0):" + String(repeating: "é", count: byteCount / 2) }
            let answers = Answers([])
            try ask(first, 2, "ü\t?", answers)
            #expect(answers.wait { $0.count == 1 })
            #expect(answers.value == ["ü\t?:" + String(repeating: "é", count: byteCount / 2)])
            #expect(try first.loop { first.bus.askable } == [2])
        }
    }

    @Test("both ask at once, and whoever answers may take its time")
    func later() throws {
        try withTwo(Self.patient) { first, second in
            let waiting = Mutex<[@Sendable () -> Void]>([])
            try second.loop {
                second.bus.onQuestion = { question, then in
                    let then = Unchecked(then)
                    waiting.withLock { $0.append({ then.value("\(question)!") }) }
                }
            }
            try answer(first) { "\($0)." }
            let answers = Answers([])
            for question in ["a", "b", "c"] { try ask(first, 2, question, answers) }
            let others = Answers([])
            try ask(second, 1, "d", others)
            #expect(others.wait { $0 == ["d."] })
            while try second.loop({ waiting.withLock(\.count) }) < 3 {}
            try second.loop { for then in waiting.withLock(\.self).reversed() { then() } }
            #expect(answers.wait { $0 == ["c!", "b!", "a!"] })
        }
    }

    @Test("who is not there has no answer, at once")
    func unknown() throws {
        try withTwo(Self.patient) { first, _ in
            let answers = Answers([])
            try ask(first, 3, "?", answers)
            #expect(answers.value == [nil])
        }
    }

    @Test("who says nothing is not waited for, and what comes too late is for nobody")
    func silent() throws {
        var settings = BusSettings.small
        settings.questionTimeout = .milliseconds(20)
        try withRawPeer(settings) { process, peer in
            try peer.greet(9)
            while try !process.isOpen {}
            let answers = Answers([])
            try ask(process, 9, "first", answers)
            #expect(answers.wait { $0 == [nil] })
            try peer.send(.answer(number: 1, isLast: true, Array("late".utf8)))
            // Until one of the questions is answered in time.
            while answers.value.last == .some(nil) {
                try ask(process, 9, "again", answers)
                let frame = try peer.frames { $0.isQuestion("again") }.last
                guard case .question(let number, _)? = frame else { break }
                let count = answers.value.count
                try peer.send(.answer(number: number, isLast: true, Array("\(number)".utf8)))
                #expect(answers.wait { $0.count > count || $0.last != .some(nil) })
            }
            #expect(!answers.value.contains("late"))
            #expect(answers.value.last != .some(nil))
        }
    }

    @Test("when the other process ends, all that wait learn it")
    func ended() throws {
        try withRawPeer(Self.patient) { process, peer in
            try peer.greet(9)
            while try !process.isOpen {}
            let answers = Answers([])
            for _ in 0..<3 { try ask(process, 9, "?", answers) }
            try peer.send(.answer(number: 2, isLast: false, [97]))
            peer.close()
            #expect(answers.wait { $0 == [nil, nil, nil] })
        }
    }

    @Test("no more questions wait than may, and no answer is longer than it may be")
    func limits() throws {
        var settings = Self.patient
        settings.questionLimit = 2
        settings.answerByteLimit = 10
        try withRawPeer(settings) { process, peer in
            try peer.greet(9)
            while try !process.isOpen {}
            let answers = Answers([])
            for _ in 0..<3 { try ask(process, 9, "?", answers) }
            #expect(answers.value == [nil])
            try peer.send(.answer(number: 1, isLast: false, Array("1234567890".utf8)))
            try peer.send(.answer(number: 1, isLast: true, []))
            #expect(answers.wait { $0 == [nil, "1234567890"] })
            try peer.send(.answer(number: 2, isLast: false, Array("12345678901".utf8)))
            #expect(answers.wait { $0 == [nil, "1234567890", nil] })
        }
    }

    @Test("who asks and does not read is not answered without end")
    func notReading() throws {
        try withRawPeer(Self.patient) { process, peer in
            try peer.greet(9)
            while try !process.isOpen {}
            let asked = Watched(0)
            try process.loop {
                process.bus.onQuestion = { _, then in
                    then(String(repeating: "x", count: 10_000))
                    asked.update { $0 += 1 }
                }
            }
            let count = 500
            try peer.send(
                (0..<count).flatMap { BusFrame.question(number: UInt32($0), "?").bytes })
            #expect(asked.wait { $0 == count })
            let queued = try process.loop { process.bus.links[0].stream.queuedByteCount }
            #expect(queued <= process.bus.settings.queueByteLimit + 11_000)
        }
    }
}

extension BusFrame {
    fileprivate func isQuestion(_ text: String) -> Bool {
        if case .question(_, text) = self { true } else { false }
    }
}
