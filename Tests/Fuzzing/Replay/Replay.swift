// Reads inputs from a pipe and writes what a Session makes of each, one line of JSON for one input:
//
//   {"events": [["text", "6869"], ["close", 1000, ""]], "failure": null}
//
// An input is a byte for the role (0 server, 1 client), the message limit and the byte count as 32
// bits each, little-endian, and the bytes. Tests/Conformance/differential.py compares the lines
// with what other implementations say. Payloads are hexadecimal, a Close without a code has null
// for it, and `failure` is the close code that the connection is failed with.

import Glibc
import WebSocketProtocol

@main
struct Replay {
    static func main() {
        while let record = nextRecord() { print(line(record)) }
    }

    private struct Record {
        let role: Role
        let messageByteLimit: Int
        let bytes: [UInt8]
    }

    private static func nextRecord() -> Record? {
        guard let head = readExactly(9) else { return nil }
        func number(at offset: Int) -> Int {
            head[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        guard let bytes = readExactly(number(at: 5)) else { return nil }
        return Record(
            role: head[0] == 0 ? .server : .client, messageByteLimit: number(at: 1), bytes: bytes)
    }

    private static func readExactly(_ byteCount: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: byteCount)
        var end = 0
        while end < byteCount {
            let count = bytes.withUnsafeMutableBytes {
                read(0, $0.baseAddress! + end, byteCount - end)
            }
            guard count > 0 else { return nil }
            end += count
        }
        return bytes
    }

    private static func line(_ record: Record) -> String {
        var session = Session(role: record.role, messageByteLimit: record.messageByteLimit)
        var bytes = record.bytes
        var events: [String] = []
        var failure = "null"
        bytes.withUnsafeMutableBytes { bytes in
            var input = InputBytes(bytes)
            do throws(ProtocolError) {
                while let event = try session.nextEvent(from: &input) { events.append(json(event)) }
            } catch {
                failure = "\(error.closeCode)"
            }
        }
        return "{\"events\": [\(events.joined(separator: ", "))], \"failure\": \(failure)}"
    }

    private static func json(_ event: Session.Event) -> String {
        switch event {
        case .message(.text(let text)): "[\"text\", \"\(hex(text.utf8))\"]"
        case .message(.binary(let bytes)): "[\"binary\", \"\(hex(bytes))\"]"
        case .piece(let piece): "[\"piece\", \"\(hex(piece.bytes))\"]"
        case .ping(let payload): "[\"ping\", \"\(hex(payload))\"]"
        case .pong(let payload): "[\"pong\", \"\(hex(payload))\"]"
        case .close(let close):
            "[\"close\", \(close.code?.description ?? "null"), \"\(hex(close.reason.utf8))\"]"
        }
    }

    private static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
