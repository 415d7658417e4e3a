import Chat
import Testing
import WebSocketHostTesting

@Test("who comes later hears what was said")
func history() async throws {
    let host = try TestHost(chat(Store()))
    let ada = try await host.connect()
    try await ada.send("hello")
    #expect(try await ada.receive() == .text("kept hello"))
    try await host.advance(by: .seconds(20))
    #expect(try await ada.receivePing() == Array("keep-alive".utf8))
    let bob = try await host.connect()
    #expect(try await bob.receive() == .text("hello"))
    #expect(try await bob.close() == Close(.normalClosure))
}
