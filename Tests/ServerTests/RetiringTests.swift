import EventLoop
import Foundation
import Glibc
import HTTPProtocol
import TestSupport
import Testing
import WebSocketHost

@Suite("Answers of a server that retires")
struct RetiringTests {
    @Test(
        "whoever answers says that the connection ends (RFC 9112 §9.6)",
        arguments: ["/", "/nothing", "/a.txt", "/sub/", "/sub", "/cgi-bin/hello"])
    func saysClose(_ path: String) async throws {
        var configuration = Configuration()
        configuration.documentRoot = try DocumentRoot(
            path: try Self.makeFolder(), scriptPaths: ["/cgi-bin"])
        configuration.listsDirectories = true
        let server = try TestServer(configuration, WebSocketHandler { _ in })
        let text = try await server.run { [server = server.server] port in
            let client = try TestClient(tcp: port)
            try client.write(Array("GET \(path) HTTP/1.1\r\nHost: ".utf8))
            while server.openConnectionCount == 0 { sched_yield() }
            let gate = Gate()
            server.retire()
            server.loops[0].submit { gate.block() }
            gate.waitUntilBlocked()
            try client.write(Array("a\r\n\r\n".utf8))
            gate.open()
            return String(decoding: try client.readToEnd(), as: UTF8.self)
        }
        #expect(text.hasPrefix("HTTP/1.1 "))
        #expect(text.contains("\r\nConnection: close\r\n"), "\(text)")
    }

    private static func makeFolder() throws -> String {
        let folder = try TemporaryFiles.makeFolder()
        for name in ["sub", "cgi-bin"] {
            try FileManager.default.createDirectory(
                atPath: folder + "/" + name, withIntermediateDirectories: false)
        }
        try "a".write(toFile: folder + "/a.txt", atomically: false, encoding: .utf8)
        let script = folder + "/cgi-bin/hello"
        try "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nhello'\n".write(
            toFile: script, atomically: false, encoding: .utf8)
        chmod(script, 0o755)
        return folder
    }
}
