import CommandLineOptions
import HTTPProtocol
import Testing
import WebSocketClient
import WebSocketProtocol

@testable import client

@Suite("The client's options")
struct OptionsTests {
    /// What the arguments come to as a URL; pywebsocket3's options are the parts of one.
    static let places: [(arguments: [String], url: String)] = [
        (["ws://a:1/b?c"], "ws://a:1/b?c"),
        (["wss://a", "-q"], "wss://a"),
        (["-q", "--", "ws://a"], "ws://a"),
        (["-p", "9998"], "ws://localhost:9998/echo"),
        (["-s", "example.com"], "ws://example.com/echo"),
        (["-s", "::1", "-p1"], "ws://[::1]:1/echo"),
        (["-s", "[::1]", "-r", "/x?y"], "ws://[::1]/x?y"),
        (["-t", "-r", "x"], "wss://localhost/x"),
        (["-tp", "443", "--server_host=a"], "wss://a:443/echo"),
    ]

    @Test("a URL or the parts of one", arguments: places)
    func place(_ arguments: [String], _ url: String) throws {
        #expect(try ClientOptions.read(arguments).address.resolved == url)
    }

    static let failures: [(arguments: [String], says: String)] = [
        ([], "no server: give a URL"),
        (["-q"], "no server: give a URL"),
        (["ws://a", "ws://b"], "give one URL only; 'ws://b' is the second"),
        (["ws://a", "-p", "1"], "give either a URL or its parts"),
        (["ws://a", "--snd", "x"], "unknown option --snd; did you mean --send?"),
        (["ws://a", "--send"], "--send needs a value: --send TEXT"),
        (["-p", "70000"], "-p: '70000' is not a whole number from 1 to 65535"),
        (["-s", "a/b"], "-s: 'a/b' is not a host name"),
        (["ws://a", "-k", "0"], "-k: '0' is not a number of seconds"),
        (["ws://a", "--send-hex", "0"], "--send-hex: '0' is not pairs of hexadecimal digits"),
        (["ws://a", "--expect-hex=xx"], "--expect-hex: 'xx' is not pairs"),
        (
            ["ws://a", "--expect", "a", "--receive", "0"],
            "--receive 0 is less than the number of messages in --expect"
        ),
        (["ws://a", "--header", "Name"], "--header: 'Name' is not 'Name: value'"),
        (["ws://a", "--header", ": x"], "is not 'Name: value'"),
        (["ws://a", "--header", "A B: x"], "--header: "),
        (["ws://a", "--header", "A: x\r\nB: y"], "--header: "),
        (
            ["ws://a", "--header", "hOst: x"],
            "hOst belongs to the handshake: it comes from the URL"
        ),
        (["ws://a", "--header", "Sec-WebSocket-Protocol: x"], "use --subprotocol"),
        (["ws://a", "--cookie", "x"], "--cookie: 'x' is not NAME=VALUE"),
        (["ws://a", "--cookie", "a=b\r\nc"], "--cookie: "),
        (
            ["ws://a", "--certificate", "f"],
            "--certificate and --private-key must be given together"
        ),
        (
            ["ws://a", "--max-line-size", "0"],
            "--max-line-size: '0' is not a number of bytes from 1 up"
        ),
        (
            ["ws://a", "--compression", "on"],
            "--compression: 'on' is not one of off, shared, dedicated"
        ),
    ]

    @Test("one line says option, value and what is allowed", arguments: failures)
    func fails(_ arguments: [String], _ says: String) {
        do throws(UsageError) {
            _ = try ClientOptions.read(arguments)
            Issue.record("\(arguments) were taken")
        } catch {
            #expect(error.description.contains(says), "\(error)")
            #expect(!error.description.contains("\n") && error.exitCode == ExitCode.usage.rawValue)
        }
    }

    @Test("the script: in the order given")
    func script() throws {
        let settings = try ClientOptions.read([
            "ws://a", "-m", "a,,b", "--send", "x,y", "--send-hex", "00 fF", "--expect", "",
            "--expect-hex=", "--ping",
        ])
        var script = MessageScript()
        script.exchanges = ["a", "", "b"]
        script.messages = [.text("x,y"), .binary([0, 255])]
        script.expected = [.text(""), .binary([])]
        script.pings = true
        #expect(settings.script == script)
    }

    static let counts: [(arguments: [String], count: Int)] = [
        ([], 0), (["--send", "a", "--send", "b"], 2), (["--send", "a", "--receive", "0"], 0),
        (["--send", "a", "--expect", "a", "--expect", "b"], 2), (["--expect=a", "--receive=3"], 3),
        (["--receive", "5"], 5), (["-m", "a,b"], 0),
    ]

    @Test("how many messages are waited for", arguments: counts)
    func count(_ arguments: [String], _ count: Int) throws {
        let script = try ClientOptions.read(["ws://a"] + arguments).script
        #expect(script.awaitedCount == count && script.isEmpty == arguments.isEmpty)
    }

    @Test("fields, subprotocols and origin as given; all cookies in one field")
    func handshake() throws {
        let settings = try ClientOptions.read([
            "ws://a", "--header", "X-A: 1", "--cookie", "a=b", "--header=x-a:2", "--cookie",
            "c=d=e", "-o", "null",
            "--subprotocol", "chat.v2", "--subprotocol=chat",
        ])
        #expect(try settings.fields == ["X-A": "1", "x-a": "2", "Cookie": "a=b; c=d=e"])
        #expect(settings.origin == "null" && settings.subprotocols == ["chat.v2", "chat"])
    }

    @Test(
        "both names of the time limit",
        arguments: ["-k", "--timeout", "--socket-timeout", "--socket_timeout"])
    func timeout(_ option: String) throws {
        #expect(try ClientOptions.read(["ws://a"]).timeout == .seconds(10))
        #expect(try ClientOptions.read(["ws://a", option, "0.5"]).timeout == .milliseconds(500))
    }

    @Test("help, whatever else is wrong")
    func help() throws {
        #expect(try ClientOptions.read(["--help", "-p", "x", "y", "z"]).showsHelp)
        #expect(try ClientOptions.read(["--version"]).showsVersion)
        for option in ClientOptions.table.all {
            #expect(ClientOptions.help.contains("--\(option.name)"))
        }
        for line in ClientOptions.help.split(separator: "\n") {
            #expect(line.count <= 105, "\(line)")
        }
    }
}
