import Shared
import Testing
import WebSocketHostTesting
import chat_wsh
import names_wsh

/// The handlers' rooms are variables of their files: one test after the other.
@Suite("Shipped handlers: rooms", .serialized)
struct RoomTests {
    @Test("chat escapes what people say, for all of them")
    func chat() async throws {
        let host = try TestHost(chat_wsh.handler, at: "/chat")
        let ada = try await host.connect()
        let arrival = try await text(ada)
        #expect(arrival.hasSuffix(" came, 1 here</li>"))
        let name = try #require(arrival.firstMatch(of: #/guest \d+/#)).output
        let bob = try await host.connect()
        #expect(try await text(ada).hasSuffix(" came, 2 here</li>"))
        #expect(try await text(bob).hasSuffix(" came, 2 here</li>"))
        try await ada.send("<script>alert('x')</script>")
        for client in [ada, bob] {
            #expect(
                try await text(client)
                    == #"<li><b class="author">\#(name)</b> <span class="text">&lt;script&gt;"#
                    + "alert(&#39;x&#39;)&lt;/script&gt;</span></li>")
        }
        try await ada.close()
        #expect(try await text(bob) == #"<li class="notice">\#(name) left, 1 here</li>"#)
        try await bob.close()
    }

    @Test("chat takes 4,096 bytes")
    func tooLong() async throws {
        let host = try TestHost(chat_wsh.handler)
        let client = try await host.connect()
        _ = try await client.receive()
        try await client.send(String(repeating: "x", count: 4_097))
        #expect(try await client.receiveClose().code == .messageTooBig)
    }

    @Test("names calls people by their address, and quit leaves")
    func names() async throws {
        let host = try TestHost(names_wsh.handler)
        let ada = try await host.connect(from: "192.0.2.7")
        let welcome = try await text(ada)
        let address = try #require(welcome.wholeMatch(of: #/Welcome, (192\.0\.2\.7:\d+) !/#)).output
            .1
        let bob = try await host.connect(from: "2001:db8::1")
        #expect(try await text(ada).hasPrefix("Welcome, [2001:db8::1]:"))
        _ = try await bob.receive()
        try await ada.send("hello")
        let said = try await text(bob)
        #expect(said.contains(#/^\d\d:\d\d:\d\d /#) && said.hasSuffix(" \(address) say: hello"))
        #expect(try await text(ada) == said)
        try await ada.send("quit")
        for client in [ada, bob] {
            #expect(try await text(client).hasSuffix(" \(address) logged out"))
        }
        #expect(try await ada.receiveClose() == Close(.normalClosure))
        // Gone without a word: the others are told all the same.
        let carl = try await host.connect()
        _ = try await bob.receive()
        try await carl.drop()
        #expect(try await text(bob).hasSuffix(" logged out"))
        try await bob.close()
    }

    private func text(_ client: TestClient, fileID: String = #fileID, line: Int = #line)
        async throws -> String
    {
        guard case .text(let text) = try await client.receive(fileID: fileID, line: line) else {
            return ""
        }
        return text
    }
}
