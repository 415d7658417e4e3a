import EventLoop
import Glibc
import HTTPProtocol
import Synchronization
import TestSupport
import Testing
import WebSocketProtocol

@testable import WebSocketHost

@Suite("Connections and state of several server processes, for the owner")
struct SeveralProcessesTests {
    @Test("those of other processes are there too, and a process that is silent is named")
    func otherProcesses() async throws {
        let others = OtherAnswers([1: "entry\t{\"id\":\"1-7\"}\ncut\t\nnew\tx", 2: nil])
        try await OwnedServer.withServer(beside: others) { _, admin, port in
            let client = try OwnedServer.connect(port)
            let answer = try OwnedServer.ask(admin, "/connections?limit=5")
            #expect(answer.body.contains("{\"id\":\"1-7\"}"))
            #expect(answer.body.contains("\"id\":\"3-"))
            #expect(
                answer.body.hasSuffix(
                    "\"truncated\":true,\"missing\":"
                        + "[\"server process 2, which does not answer\"]}\n"))
            #expect(
                others.questions.withLock(\.self)
                    == ["1 connections\tlimit=5", "2 connections\tlimit=5"])
            withExtendedLifetime(client) {}
        }
    }

    @Test("a connection of another process is closed there")
    func kickElsewhere() async throws {
        let others = OtherAnswers([1: "closing", 2: "unknown", 4: "missing\tevent loop 0", 5: nil])
        try await OwnedServer.withServer(beside: others) { _, admin, _ in
            for (process, status) in [(1, 202), (2, 404), (4, 503), (5, 503), (6, 404)] {
                let answer = try OwnedServer.ask(
                    admin, "/connections/\(process)-9?code=4000&reason=a%09b", "DELETE")
                #expect(answer.status == status, "\(process)")
            }
            #expect(others.questions.withLock { $0[0] } == "1 kick\t9\t4000\ta\tb")
        }
    }

    @Test("what another process asks is answered as it is asked here")
    func answering() async throws {
        try await OwnedServer.withServer { server, admin, port in
            let client = try OwnedServer.connect(port)
            func answer(_ question: String) -> String {
                let answers = Mutex<String?>(nil)
                server.controlLoop.submit {
                    server.answer(question: question) { text in answers.withLock { $0 = text } }
                }
                while true { if let text = answers.withLock(\.self) { return text } }
            }
            #expect(answer("connections\troute=/test").hasPrefix("entry\t{\"id\":\"3-"))
            #expect(answer("connections\tlimit=x") == "")
            #expect(answer("status").hasPrefix("process\t3\tserving\t"))
            #expect(answer("kick\t999\t1000\t") == "unknown")
            #expect(answer("kick\t1\t1006\t") == "")
            #expect(answer("anything else") == "" && answer("") == "")
            let number = try OwnedServer.id(admin).dropFirst(2)
            #expect(answer("kick\t\(number)\t1008\ta\tb") == "closing")
            #expect(try client.closeReceived() == Close(.policyViolation, reason: "a\tb"))
        }
    }

    @Test("the state of all, for programs and for people")
    func status() async throws {
        let others = OtherAnswers([
            2: "process\t2\tretired\t4\nroute\t4\t/test\nblocked\tevent loop 1: x\nnew\ty", 1: nil,
            4: "?",
        ])
        try await OwnedServer.withServer(beside: others) { server, admin, port in
            let client = try OwnedServer.connect(port)
            let answer = try OwnedServer.ask(admin, "/status")
            #expect(answer.status == 200)
            #expect(
                OwnedServer.without(answer.body, /\d+\.\d{3}/)
                    == "{\"version\":\"1.2\",\"uptime\":*,\"ready\":true,\"reason\":null,"
                    + "\"processes\":[{\"number\":3,\"state\":\"serving\",\"connections\":1},"
                    + "{\"number\":2,\"state\":\"retired\",\"connections\":4}],"
                    + "\"routes\":[{\"path\":\"/block\",\"connections\":0},"
                    + "{\"path\":\"/test\",\"connections\":5},"
                    + "{\"path\":\"/ü\\\"\",\"connections\":0}],"
                    + "\"blockedLoops\":[\"process 2, event loop 1: x\"],"
                    + "\"missing\":[\"server process 1, which does not answer\","
                    + "\"server process 4, which does not answer\"]}\n")
            server.require(ReadinessCondition(name: "redis") { "not connected" })
            let text = try OwnedServer.ask(admin, "/status?format=text")
            #expect(text.status == 503)
            let lines = text.body.split(separator: "\n").map(String.init)
            #expect(lines[0].hasPrefix("WebSocketHost 1.2, up "))
            #expect(lines[0].hasSuffix(" s, not ready: redis: not connected"))
            #expect(
                lines.dropFirst() == [
                    "PROCESS  STATE    CONNECTIONS", "3        serving            1",
                    "2        retired            4", "ROUTE   CONNECTIONS",
                    "/block            0", "/test             5", "/ü\"               0",
                    "blocked: process 2, event loop 1: x",
                    "missing: server process 1, which does not answer",
                    "missing: server process 4, which does not answer",
                ])
            #expect(try OwnedServer.ask(admin, "/status?format=xml").status == 400)
            withExtendedLifetime(client) {}
        }
    }
}
