import EventLoop
import Foundation
import Glibc
import Logging
import LoopTesting
import Testing
import Topics
import WebSocketProtocol

@testable import TopicBus

/// A broker's place: notes what a bus delivers.
final class Recorder: BusTarget {
    struct Delivery: Equatable {
        let topic: String
        let key: String?
        let message: Message
    }

    enum Call: Equatable {
        case delivered(Delivery)
        case missed(Int, Set<String>?)
        case count(Int, String, origin: UInt64)
        case removed(UInt64)
    }

    let calls = Watched<[Call]>([])
    let counts = Watched<[ExactText: Int]>([:])
    let members = Watched(0)

    var localCounts: [ExactText: Int] { counts.value }

    func join(_ backplane: any Backplane) { members.update { $0 += 1 } }
    func leave(_ backplane: any Backplane) { members.update { $0 -= 1 } }
    func deliver(_ publication: Publication) {
        note(
            .delivered(
                Delivery(
                    topic: publication.topic, key: publication.key, message: publication.message)))
    }
    func missed(_ count: Int, of topics: [String]?) { note(.missed(count, topics.map(Set.init))) }
    func setCount(_ count: Int, of topic: String, at origin: UInt64) {
        note(.count(count, topic, origin: origin))
    }
    func removeOrigin(_ origin: UInt64) { note(.removed(origin)) }

    private func note(_ call: Call) { calls.update { $0.append(call) } }

    var texts: [String] { Self.texts(calls.value) }

    static func texts(_ calls: [Call]) -> [String] {
        calls.compactMap {
            if case .delivered(let delivery) = $0, case .text(let text) = delivery.message {
                return text
            }
            return nil
        }
    }

    func waitForTexts(_ count: Int) -> Bool { calls.wait { Self.texts($0).count == count } }
}

/// A bus on a loop of its own, with a recorder in the broker's place.
final class Process: Sendable {
    let loop: RunningLoop
    let target = Recorder()
    let bus: TopicBus
    let lines: Watched<[String]>

    init(_ number: UInt64, on loop: RunningLoop, _ settings: BusSettings = .small) {
        self.loop = loop
        let lines = Watched<[String]>([])
        self.lines = lines
        let log = Log(LogSettings(level: .info)) { line in lines.update { $0.append(line) } }
        bus = TopicBus(
            processNumber: number, target: target, on: loop.loop, log: log, settings)
    }

    func add(_ descriptor: Int32) throws {
        try loop { self.bus.add(FileDescriptor(descriptor)) }
    }

    var isOpen: Bool {
        get throws { try loop { !self.bus.links.isEmpty && self.bus.links.allSatisfy(\.isOpen) } }
    }

    func publish(_ text: String, to topic: String = "t", key: String? = nil) {
        bus.published(Publication(topic: topic, message: .text(text), key: key))
    }

    /// Publishes so many, to three topics, and waits each time until the loop has taken them.
    func publish(_ count: Int, _ text: (Int) -> String) throws {
        for number in 0..<count {
            publish(text(number), to: "\(number % 3)")
            if number % 10 == 9 { _ = try isOpen }
        }
    }

    /// Changes the number of subscribers, as a broker does.
    func setCount(_ count: Int, of topic: String) {
        target.counts.update { $0[ExactText(topic)] = count == 0 ? nil : count }
        bus.localCountChanged(of: topic, to: count)
    }
}

extension BusSettings {
    /// Limits that a test reaches soon.
    static var small: BusSettings {
        var settings = BusSettings(messageByteLimit: 100_000)
        settings.queueByteLimit = 50_000
        settings.answerTimeout = .milliseconds(50)
        return settings
    }
}

/// Two processes on two loops, joined.
func withTwo(
    _ settings: BusSettings = .small, _ body: (Process, Process) throws -> Void
) throws {
    try withLoop { first in
        try withLoop { second in
            let (first, second) = (
                Process(1, on: first, settings), Process(2, on: second, settings)
            )
            let (one, other) = try pair()
            try first.add(one)
            try second.add(other)
            first.bus.waitForAnswers()
            second.bus.waitForAnswers()
            #expect(try first.isOpen && second.isOpen)
            try body(first, second)
        }
    }
}

func pair() throws -> (Int32, Int32) {
    var ends: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    try #require(socketpair(AF_UNIX, kind, 0, &ends) == 0)
    return (ends[0], ends[1])
}

/// Another process, played by the test: bytes in and out of one end of a pair.
final class RawPeer {
    let fd: Int32
    private var isClosed = false
    private var decoder = BusFrameDecoder(frameByteLimit: 1 << 20)

    init(_ fd: Int32) { self.fd = fd }

    deinit { close() }

    func close() {
        if !isClosed { Glibc.close(fd) }
        isClosed = true
    }

    func send(_ frame: BusFrame) throws { try send(frame.bytes) }

    func send(_ bytes: [UInt8]) throws {
        try #require(Glibc.send(fd, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count)
    }

    func greet(_ process: UInt64 = 9) throws {
        try send(.hello(version: BusFrame.version, process: process))
        try send(.open)
    }

    /// The next frame; waits for it. `nil`: the bus has closed its end.
    func next() throws -> BusFrame? {
        while true {
            if let frame = try decoder.next() { return frame }
            var poll = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
            try #require(Glibc.poll(&poll, 1, Int32(deadline) * 1_000) == 1)
            var bytes = [UInt8](repeating: 0, count: 65_536)
            let count = recv(fd, &bytes, bytes.count, 0)
            guard count > 0 else { return nil }
            bytes[..<count].withUnsafeBytes { decoder.append($0) }
        }
    }

    /// All frames up to the first one that `isLast`, which is the last of them.
    func frames(upTo isLast: (BusFrame) -> Bool) throws -> [BusFrame] {
        var frames: [BusFrame] = []
        while let frame = try next() {
            frames.append(frame)
            if isLast(frame) { break }
        }
        return frames
    }
}

/// A process and a peer that is played by the test; neither has said anything but its hello.
func withRawPeer(
    _ settings: BusSettings = .small, _ body: (Process, RawPeer) throws -> Void
) throws {
    try withLoop { loop in
        let process = Process(1, on: loop, settings)
        let (one, other) = try pair()
        let peer = RawPeer(other)
        try process.add(one)
        #expect(try peer.next() == .hello(version: BusFrame.version, process: 1))
        try body(process, peer)
    }
}
