import CommandLineOptions
import EventLoop
import Glibc
import HTTPProtocol
import Logging

/// `standalone.sh status`, from the command line to the exit code.
package enum StatusCommand {
    package static var options: [CommandShape.Group] { StatusSettings.table.shapes }

    /// The exit codes; the help has the same list.
    private enum ExitCode: Int32 {
        case ready = 0
        /// Or not reached.
        case notReady = 1
    }

    /// - Parameters:
    ///   - arguments: after the command.
    ///   - variable: of the environment; `nil` for an empty one too.
    package static func run(_ arguments: [String], variable: (String) -> String?) -> Int32 {
        let settings: StatusSettings
        do throws(UsageError) {
            settings = try StatusSettings.read(arguments, variable: variable)
        } catch {
            StandardError.write("status: \(error)\n\n\(StatusSettings.shortUsage)\n")
            return error.exitCode
        }
        if settings.showsHelp {
            print(StatusSettings.help)
            return 0
        }
        Loop.ignoreBrokenPipes()
        let place = settings.place.place(variable)
        do throws(ConnectFailure) {
            let answer = try ask(place, settings)
            print(String(decoding: answer.body, as: UTF8.self), terminator: "")
            return (answer.status == .ok ? ExitCode.ready : .notReady).rawValue
        } catch {
            let text = "\(place.name) is not reached: \(error.reason)"
            StandardError.write("status: \(escaped(text, limit: 2_000))\n")
            return ExitCode.notReady.rawValue
        }
    }

    private static func ask(
        _ place: ServerPlace, _ settings: StatusSettings
    ) throws(ConnectFailure) -> StatusAnswer {
        let connection = try place.connect()
        let end = MonotonicTime.current() + settings.timeout
        let target = settings.isJSON ? "/status" : "/status?format=text"
        // Shorter than what any socket takes at once.
        _ = connection.send(
            Array("GET \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8))
        var reader = StatusAnswerReader()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            switch connection.receive(into: buffer) {
            case .bytes(let count):
                let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                if let answer = try reader.take(bytes) { return answer }
            case .nothing:
                guard connection.waitForBytes(until: end) else {
                    throw ConnectFailure(
                        reason: "it has not answered for \(settings.timeout.seconds) s (--timeout)")
                }
            case .end: throw ConnectFailure(reason: "it ended before it answered")
            }
        }
    }
}

struct StatusAnswer: Equatable {
    let status: Status
    let body: [UInt8]
}

/// Reads one answer. Values only.
struct StatusAnswerReader {
    private var parser = ResponseHeadParser()
    private var head: ResponseHead?
    private var body: [UInt8] = []

    /// 4 MiB: tens of thousands of routes.
    static let byteLimit = 4 << 20

    /// - Returns: the answer once it is complete.
    /// - Throws: if it is none, or has no status of a server.
    mutating func take(_ bytes: UnsafeRawBufferPointer) throws(ConnectFailure) -> StatusAnswer? {
        var rest = bytes
        if head == nil {
            do throws(ResponseError) {
                guard case .complete(let head, let count) = try parser.parse(bytes) else {
                    return nil
                }
                self.head = head
                rest = UnsafeRawBufferPointer(rebasing: bytes[count...])
            } catch {
                throw ConnectFailure(reason: "it answers something else than HTTP: \(error)")
            }
        }
        body += rest
        guard let head else { return nil }
        let length = head.fields["Content-Length"].flatMap { Int($0) } ?? 0
        guard length <= Self.byteLimit, body.count <= Self.byteLimit else {
            throw ConnectFailure(reason: "its answer is longer than \(Self.byteLimit) bytes")
        }
        guard body.count >= length else { return nil }
        guard head.status == .ok || head.status == .serviceUnavailable else {
            let line = body.prefix { $0 != UInt8(ascii: "\n") }
            throw ConnectFailure(
                reason: "it answers \(head.status): \(String(decoding: line, as: UTF8.self))")
        }
        return StatusAnswer(status: head.status, body: Array(body.prefix(length)))
    }
}
