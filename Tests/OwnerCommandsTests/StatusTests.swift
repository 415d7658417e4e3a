import CommandLineOptions
import EventLoop
import HTTPProtocol
import TestSupport
import Testing

@testable import OwnerCommands

@Suite("The command status, and where commands find a server")
struct StatusTests {
    private func read(
        _ words: String, _ variables: [String: String] = [:]
    ) throws(UsageError) -> StatusSettings {
        try StatusSettings.read(words.split(separator: " ").map(String.init)) { variables[$0] }
    }

    @Test("options, and the variables of the server's")
    func options() throws {
        let settings = try read(
            "--json --timeout 0.5", ["WEBSOCKETHOST_PORT": "81", "WEBSOCKETHOST_JSON": "no"])
        #expect(settings.isJSON && settings.timeout == .milliseconds(500))
        #expect(settings.place.port == 81)
        #expect(
            settings.place.place { _ in nil }
                == PlaceSettings(port: 81).place { _ in nil })
    }

    private static let addresses: [(text: String, address: AdminAddress?)] = [
        ("http://127.0.0.1:9999", .internet(host: "127.0.0.1", port: 9_999)),
        ("http://localhost:1/", .internet(host: "localhost", port: 1)),
        ("localhost:80", .internet(host: "localhost", port: 80)),
        ("[::1]:80", .internet(host: "::1", port: 80)),
        ("unix:/run/x.sock", .unix(path: "/run/x.sock")), ("unix:x", .unix(path: "x")),
        ("", nil), ("unix:", nil), ("localhost", nil), ("http://localhost", nil),
        ("https://localhost:1", nil), ("localhost:0", nil), ("localhost:65536", nil),
        ("localhost:x", nil), (":80", nil), ("http://localhost:1/x", nil), ("::1:80", nil),
    ]

    @Test("addresses of --server", arguments: addresses)
    func address(_ text: String, _ address: AdminAddress?) {
        #expect(AdminAddress(text) == address)
    }

    @Test("what is wrong", arguments: ["--server localhost", "-p 0", "x", "--timeout 0", "-w x"])
    func mistakes(_ words: String) {
        #expect(throws: UsageError.self) { try read(words) }
    }

    private static let answer =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 5\r\n\r\nab\ncd"

    @Test("an answer is read wherever it is cut")
    func everySplitOfAnswer() throws {
        let bytes = Array(Self.answer.utf8)
        for cut in 1..<bytes.count {
            var reader = StatusAnswerReader()
            let first = try bytes[..<cut].withUnsafeBytes { try reader.take($0) }
            #expect(first == nil)
            let second = try bytes[cut...].withUnsafeBytes { try reader.take($0) }
            #expect(second?.status == .serviceUnavailable)
            #expect(second?.body == Array("ab\ncd".utf8))
        }
    }

    @Test(
        "what is no answer of a server is named",
        arguments: [
            ("SSH-2.0-x\r\n\r\n", "something else than HTTP"),
            ("HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nNo\n", "404"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", "longer than"),
        ])
    func noAnswer(_ text: String, _ reason: String) {
        var reader = StatusAnswerReader()
        let error = #expect(throws: ConnectFailure.self) {
            try Array(text.utf8).withUnsafeBytes { _ = try reader.take($0) }
        }
        #expect(error?.reason.contains(reason) == true, "\(error?.reason ?? "")")
    }
}
