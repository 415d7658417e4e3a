import HTTPProtocol
import Testing
import WebSocketHost
import WebSocketProtocol

@testable import WebSocketClient

@Suite("Responses before and instead of the 101")
struct RefusalTests {
    @Test("RFC 9110 §15.2: interim responses are skipped", arguments: [1, 16])
    func interim(_ count: Int) async throws {
        try await Pair(handler(sendingInterim: count)).run { client, url in
            let socket = try await client.connect(url)
            #expect(try await socket.receive() == .text("hello"))
        }
    }

    @Test("but not without end")
    func tooManyInterim() async throws {
        try await Pair(handler(sendingInterim: 17)).run { client, url in
            do {
                _ = try await client.connect(url)
                Issue.record("connected")
            } catch ConnectError.refused(let head, _) {
                #expect(head.status.code == 103)
            }
        }
    }

    private func handler(sendingInterim count: Int) -> WebSocketHandler {
        WebSocketHandler(
            doExtraHandshake: { request in
                let interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                for _ in 0..<count { try await request.unsafeWrite(Array(interim.utf8)) }
            },
            transferData: { socket in try await socket.send("hello") })
    }

    static let endless: [(name: String, fields: String, body: String, kept: String)] = [
        ("no body", "Content-Length: 0", "", ""),
        ("a length", "Content-Length: 3", "no!", "no!"),
        ("cut", "Content-Length: 9", "no!", "no!"),
        ("no end", "X: y", "no!", "no!"),
        ("chunked", "Transfer-Encoding: chunked", "3\r\nno!\r\n0\r\n\r\n", "no!"),
        ("chunked, cut", "Transfer-Encoding: chunked", "3\r\nno", "no"),
        ("chunked, malformed", "Transfer-Encoding: chunked", "2\r\nno!\r\n", "no"),
        ("another coding", "Transfer-Encoding: x", "no!", "no!"),
    ]

    /// The connection stays open, and the time limit for connecting is five minutes.
    @Test(
        "the status is known at once, whatever the body", .timeLimit(.minutes(5)),
        arguments: endless)
    func bodies(_ name: String, _ fields: String, _ body: String, _ kept: String) async throws {
        let server = try CannedServer(
            "HTTP/1.1 401 Unauthorized\r\n\(fields)\r\n\r\n\(body)", staysOpen: true)
        let client = WebSocketClient(.patient)
        do {
            _ = try await client.connect(server.url)
            Issue.record("connected")
        } catch ConnectError.refused(let head, let body) {
            #expect(head.status == .unauthorized, "\(name)")
            #expect(String(decoding: body, as: UTF8.self) == kept, "\(name)")
        }
    }

    @Test("a body, cut at each place", arguments: endless)
    func splits(_ name: String, _ fields: String, _ body: String, _ kept: String) throws {
        var parser = ResponseHeadParser()
        let text = Array("HTTP/1.1 401 Unauthorized\r\n\(fields)\r\n\r\n".utf8)
        let progress = try text.withUnsafeBytes { bytes in
            Result { () throws(ResponseError) in try parser.parse(bytes) }
        }.get()
        guard case .complete(let head, _) = progress else {
            Issue.record("\(name): no head")
            return
        }
        let bytes = Array(body.utf8)
        for cut in 0...bytes.count {
            var refusal = Refusal(head, byteLimit: 1_000)
            for piece in [bytes[..<cut], bytes[cut...]] {
                piece.withUnsafeBytes { refusal.read($0) }
            }
            #expect(String(decoding: refusal.body, as: UTF8.self) == kept, "\(name), at \(cut)")
        }
    }

    @Test("no more of a body is kept than the limit", arguments: endless)
    func limit(_ name: String, _ fields: String, _ body: String, _ kept: String) throws {
        var head = ResponseHead(status: .unauthorized)
        let field = fields.split(separator: ": ").map(String.init)
        try head.fields.append(field[0], field[1])
        var refusal = Refusal(head, byteLimit: 2)
        Array(body.utf8).withUnsafeBytes { refusal.read($0) }
        #expect(String(decoding: refusal.body, as: UTF8.self) == String(kept.prefix(2)), "\(name)")
    }
}

@Suite("URLs with credentials and zones")
struct PlaceTests {
    static let urlsWithUsers: [(url: String, user: String, password: String, authority: String)] = [
        ("ws://user:pa%3Ass@a:1/x", "user", "pa:ss", "a:1"),
        ("ws://user@a/", "user", "", "a"),
        ("wss://%C3%BC:a@b@a/", "ü", "a@b", "a"),
        ("ws://u:p@[::1]:9998?q=@", "u", "p", "[::1]:9998"),
    ]

    @Test("user and password", arguments: urlsWithUsers)
    func credentials(
        _ url: String, _ user: String, _ password: String, _ authority: String
    ) throws {
        let place = try Place(url)
        #expect(place.credentials == BasicCredentials(user: user, password: password))
        #expect(place.authority == authority)
        #expect(
            URLCredentials(url)?.bareURL.contains(password.isEmpty ? "user" : password) == false)
    }

    static let urlsWithZones: [(url: String, host: String, zone: String?, authority: String)] = [
        ("ws://[fe80::1%25eth0]/", "fe80::1", "eth0", "[fe80::1]"),
        ("ws://[FE80::1%25Wlan0]:1/", "fe80::1", "Wlan0", "[fe80::1]:1"),
        ("ws://[::1]/", "::1", nil, "[::1]"),
        ("ws://a/", "a", nil, "a"),
    ]

    @Test("zones of addresses (RFC 6874)", arguments: urlsWithZones)
    func zones(_ url: String, _ host: String, _ zone: String?, _ authority: String) throws {
        let place = try Place(url)
        #expect(place.host == host)
        #expect(place.zone == zone)
        #expect(place.authority == authority)
    }

    @Test("an Authorization field is sent, unless there is one")
    func authorization() async throws {
        let handler = WebSocketHandler { socket in
            try await socket.send(socket.request.fields["Authorization"] ?? "none")
        }
        try await Pair(handler).run { client, url in
            let url = url.replacing("ws://", with: "ws://Aladdin:open%20sesame@")
            var socket = try await client.connect(url)
            #expect(try await socket.receive() == .text("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="))
            socket = try await client.connect(url, fields: ["Authorization": "Bearer x"])
            #expect(try await socket.receive() == .text("Bearer x"))
        }
    }
}
