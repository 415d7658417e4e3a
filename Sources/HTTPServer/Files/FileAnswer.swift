import EventLoop
import HTTPProtocol
import Logging

/// Sends a file, or parts of it, as the answer to a request.
struct FileAnswer {
    private let exchange: Exchange
    private let request: Request
    private let file: FileRepresentation

    /// Up to 64 KiB a file's bytes leave with the head, in one call; larger ones by `sendfile`.
    private static let copyByteLimit = 65_536

    init(_ exchange: Exchange, _ request: Request, _ file: FileRepresentation) {
        self.exchange = exchange
        self.request = request
        self.file = file
    }

    /// Sends one range of the file, which may be the whole of it.
    func send(_ range: Range<Int>, _ status: Status) {
        var fields = fields(ofContent: file.type.name, byteCount: range.count)
        if status == .partialContent {
            let value = RangeRequest.contentRange(range, byteCount: file.byteCount)
            fields.add("Content-Range", value)
        }
        let isLast = exchange.writeHead(status, fields, isLast: request.isLast)
        log(status, byteCount: range.count)
        if !request.isHead && range.count > Self.copyByteLimit {
            exchange.stream.sendFile(file.file, range)
        } else if !request.isHead && !copy(range) {
            exchange.log(.error, "a file became shorter or unreadable while it was sent")
            return exchange.close()
        }
        exchange.finishAnswer(isLast: isLast)
    }

    /// Puts a few bytes of the file into the queue; false if the file has not got them.
    private func copy(_ range: Range<Int>) -> Bool {
        guard !range.isEmpty else { return true }
        let buffer = UnsafeMutableRawBufferPointer(
            start: exchange.stream.reserve(range.count), count: range.count)
        guard file.file.read(into: buffer, at: range.lowerBound) == range.count else {
            return false
        }
        exchange.stream.commit(range.count)
        return true
    }

    /// Sends several ranges (RFC 9110 §14.6).
    func send(parts ranges: [Range<Int>]) {
        // The author of the file must not be able to guess it: a file with the boundary in it
        // could not be split.
        let boundary =
            String(UInt64.random(in: .min ... .max), radix: 36)
            + String(UInt64.random(in: .min ... .max), radix: 36)
        let multipart = MultipartRanges(
            ranges, type: file.type.name, byteCount: file.byteCount, boundary: boundary)
        let fields = fields(
            ofContent: "multipart/byteranges; boundary=\(boundary)",
            byteCount: multipart.byteCount)
        let isLast = exchange.writeHead(.partialContent, fields, isLast: request.isLast)
        log(.partialContent, byteCount: multipart.byteCount)
        if !request.isHead {
            for part in multipart.parts {
                exchange.stream.write(part.head)
                exchange.stream.sendFile(file.file, part.range)
            }
            exchange.stream.write(multipart.end)
        }
        exchange.finishAnswer(isLast: isLast)
    }

    /// RFC 9110 §15.4.5: the fields that a cache needs, and no content.
    func sendNotModified() {
        let isLast = exchange.writeHead(.notModified, fields(), isLast: request.isLast)
        log(.notModified, byteCount: 0)
        exchange.finishAnswer(isLast: isLast)
    }

    private func log(_ status: Status, byteCount: Int) {
        exchange.log(status, request, byteCount: request.isHead ? 0 : byteCount)
    }

    /// - Parameter type: of the content; `nil`: the answer has none.
    private func fields(ofContent type: String? = nil, byteCount: Int = 0) -> Fields {
        var fields: Fields = ["X-Content-Type-Options": "nosniff"]
        if let type {
            fields.add("Content-Type", type)
            fields.add("Content-Length", String(byteCount))
            fields.add("Accept-Ranges", "bytes")
        }
        let date = exchange.owner.dateText(secondsSince1970: file.lastModified)
        fields.add("Last-Modified", date)
        fields.add("ETag", file.entityTag.description)
        if file.type.isCompressible { fields.add("Vary", "Accept-Encoding") }
        if let coding = file.coding { fields.add("Content-Encoding", coding) }
        return fields
    }
}
