import EventLoop
import HTTPServer
import Testing

@testable import WebSocketHost

@Suite("The order of responders")
struct RespondersTests {
    private final class Probe: Responder, Sendable {
        func respond(to request: inout Request, _ exchange: Exchange) -> Reply { .pass }
    }

    @Test(
        "limits stand first, then what anybody may ask, then passwords, then all else",
        arguments: [false, true])
    func order(hasLimits: Bool) throws {
        var configuration = Configuration()
        if hasLimits { configuration.handshakesPerMinuteLimit = 1 }
        configuration.basicAuthentication = try BasicAuthentication(credential: "a:b")
        let probe = Probe()
        var responders = Responders(
            configuration, Routes(), TopicBroker(), ownHosts: OwnHosts([]))
        responders.open = [probe]
        let connections = Connections(
            on: try Loop(), configuration, log: Log(), try CommonState(configuration))
        var list = responders.list(for: connections)
        if hasLimits { #expect(list.removeFirst() is LimitsResponder) }
        #expect(list.first === probe)
        let names = list.dropFirst().map { "\(type(of: $0))" }
        #expect(
            names == [
                "AuthenticationResponder", "TargetResponder", "UpgradeResponder",
                "IndexPageResponder",
            ])
    }
}
