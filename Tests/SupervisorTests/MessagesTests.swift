import EventLoop
import Testing

@testable import Supervisor

@Suite("What supervisor and server tell each other")
struct MessagesTests {
    @Test(
        arguments: [
            (.making(source: "sub/echo_wsh.swift"), "making\tsub/echo_wsh.swift"),
            (.ready(routeCount: 12, brokenCount: 1), "ready\t12\t1"),
            (.trapped(route: "/a b", source: "a b_wsh.swift"), "trapped\t/a b\ta b_wsh.swift"),
            (.leaving, "leaving"),
            (.trapped(route: "", source: ""), "trapped\t\t"),
            (.retiring(connectionCount: 3), "retiring\t3"),
            (.stopping, "stopping"), (.feedsEnded, "feeds ended"),
        ] as [(Report, String)])
    func reports(_ report: Report, _ text: String) {
        #expect(report.text == text)
        #expect(Report(text) == report)
    }

    @Test(
        arguments: [
            (.retire, "retire"), (.stop(signal: "SIGINT"), "stop\tSIGINT"),
            (.stop(signal: ""), "stop\t"),
            (.replace, "replace"), (.force(signal: "SIGTERM"), "force\tSIGTERM"),
            (.show(failure: "a.swift:1:2: error: x\n\ty\n"), "show\ta.swift:1:2: error: x\n\ty\n"),
            (.show(failure: ""), "show\t"),
            (.link, "link"), (.answer, "answer"), (.startFeeds, "start feeds"),
            (
                .leaveOut(source: "a b_wsh.swift", duration: .milliseconds(1_500)),
                "leave out\t1500\ta b_wsh.swift"
            ),
        ] as [(Order, String)])
    func orders(_ order: Order, _ text: String) {
        #expect(order.text == text)
        #expect(Order(text) == order)
    }

    @Test(
        "another version's words are not misunderstood",
        arguments: [
            "", "\t", "ready", "ready\t1", "ready\tmany\t0", "retiring\t", "stopping\tx", "making",
            "stop", "show", "link\t4", "answer\tx", "start feeds\t", "start", "feeds ended\tx",
            "retire\tnow",
            "toll\t1", "leave out", "leave out\t", "leave out\t1", "leave out\tlong\ta_wsh.swift",
        ])
    func unknown(_ text: String) {
        #expect(Report(text) == nil)
        #expect(Order(text) == nil)
    }

    @Test func processRole() throws {
        let role = ProcessRole(
            number: 7, place: 5, listenerIndices: [0, 1], linkCount: 3, memoryCount: 2,
            announces: true, isWatched: true,
            leftOut: ["a_wsh.swift": "it trapped", "b/c d_wsh.swift": "why\tnot"],
            trapping: ["c_wsh.swift": .milliseconds(1), "d e_wsh.swift": .seconds(300)])
        var variables: [String: String] = [:]
        for text in role.environment {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            variables[try #require(parts.first)] = parts.last
        }
        #expect(ProcessRole(variables) == role)
        #expect(role.listenerDescriptors == 4..<6)
        #expect(role.runSocketDescriptor == nil)
        #expect(role.linkDescriptors == 6..<9)
        #expect(role.memoryDescriptors == 9..<11)
        #expect(role.inheritedDescriptors == 3..<11)
    }

    @Test("sockets that no option describes, and how often the loops are looked at")
    func passed() throws {
        var role = ProcessRole(number: 1, listenerIndices: [0, 1, 2])
        role.passedListeners = [[], [.secure, .behindProxy]]
        role.turnReportInterval = .milliseconds(500)
        let text = try #require(role.environment.first)
        let value = String(text.dropFirst(ProcessRole.variable.count + 1))
        #expect(value.hasSuffix("passed=0,3 turns=500"))
        #expect(ProcessRole([ProcessRole.variable: value]) == role)
    }

    @Test("the socket in the run directory comes behind the listening ones", arguments: 0...2)
    func runSocket(_ listenerCount: Int) throws {
        let role = ProcessRole(
            number: 1, listenerIndices: Array(0..<listenerCount), hasRunSocket: true, linkCount: 2)
        let text = try #require(role.environment.first)
        let value = String(text.dropFirst(ProcessRole.variable.count + 1))
        #expect(ProcessRole([ProcessRole.variable: value]) == role)
        let descriptor = Int32(4 + listenerCount)
        #expect(role.runSocketDescriptor == descriptor)
        #expect(role.linkDescriptors == descriptor + 1..<descriptor + 3)
        #expect(role.inheritedDescriptors == 3..<descriptor + 3)
        let least = ProcessRole(number: 1, listenerIndices: [])
        #expect(least.inheritedDescriptors == 3..<4)
    }

    @Test("those of --admin-listen come between that and the links", arguments: [0, 1, 2, 64])
    func adminSockets(_ count: Int) throws {
        let role = ProcessRole(
            number: 1, began: MonotonicTime(nanoseconds: 123_456_789_012), listenerIndices: [0],
            hasRunSocket: true, adminSocketCount: count, linkCount: 1)
        let text = try #require(role.environment.first)
        let value = String(text.dropFirst(ProcessRole.variable.count + 1))
        #expect(ProcessRole([ProcessRole.variable: value]) == role)
        #expect(role.runSocketDescriptor == 5)
        #expect(role.adminDescriptors == 6..<6 + Int32(count))
        #expect(role.linkDescriptors == 6 + Int32(count)..<7 + Int32(count))
    }

    @Test(
        arguments: [
            "1 0 0 0 listeners=0 admin=-1", "1 0 0 0 listeners=0 admin=65",
            "", "many", "1", "1 2", "1 0 0 0 listeners=0,-1", "1 0 0 0 listeners=0,64",
            "1 0 0 0", "1 0 0 listeners=0", "1 0 0 0 listeners=0,x", "0 0 0 0 listeners=0",
            "1 64 0 0 listeners=0", "1 -1 0 0 listeners=0", "1 0 65 0 listeners=0",
            "1 0 -1 0 listeners=0", "1 0 0 9 listeners=0", "1 0 many 0 listeners=0",
        ])
    func noRole(_ text: String) {
        #expect(ProcessRole([ProcessRole.variable: text]) == nil)
        #expect(ProcessRole([:]) == nil)
    }
}
