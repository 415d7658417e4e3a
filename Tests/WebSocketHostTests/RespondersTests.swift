import EventLoop
import HTTPServer
import Testing

@testable import WebSocketHost

@Suite("The order of responders")
struct RespondersTests {
    private final class Probe: Responder, Sendable {
        func respond(to request: inout Request, _ exchange: Exchange) -> Reply { .pass }
    }

    @Test("what anybody may ask stands before passwords, all else behind them")
    func order() throws {
        var configuration = Configuration()
        configuration.basicAuthentication = try BasicAuthentication(credential: "a:b")
        let probe = Probe()
        var responders = Responders(
            configuration, Routes(), TopicBroker(), ownHosts: OwnHosts([]))
        responders.open = [probe]
        let connections = Connections(
            on: try Loop(), configuration, log: Log(), CommonState(configuration))
        let list = responders.list(for: connections)
        #expect(list.first === probe)
        let names = list.dropFirst().map { "\(type(of: $0))" }
        #expect(
            names == [
                "AuthenticationResponder", "TargetResponder", "UpgradeResponder",
                "IndexPageResponder",
            ])
    }
}
