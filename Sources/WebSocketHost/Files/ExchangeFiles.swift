import EventLoop
import Glibc
import HTTPProtocol

// Requests for files of the document root.

extension Exchange {
    /// Up to 64 KiB a file's bytes leave with the head, in one call; larger ones by `sendfile`.
    private static let copyByteLimit = 65_536

    /// Answers with what lies in the document root.
    ///
    /// - Returns: false if nothing does; then there is no answer yet.
    func answerFromFiles(
        _ request: PlainRequest, _ head: RequestHead, _ target: RequestTarget, _ path: String
    ) -> Bool {
        guard let root = worker.site.documentRoot, !request.isUpgrade,
            let place = DocumentRoot.relativePath(path, rawPath: target.path)
        else { return false }
        switch root.open(place) {
        case .nothing: return false
        case .unreadable:
            worker.log(.info, "no permission to read \(escaped(place)) in the document root")
            respond(Response(.forbidden, text: "The server may not read this file."), request)
        case .busy: respondBusy(request)
        case .file(let file): answer(with: file, place, root, request, head)
        case .folder(let folder):
            return answer(with: folder, place, root, request, head, target, path)
        }
        return true
    }

    private func answer(
        with folder: OpenFile, _ place: String, _ root: DocumentRoot, _ request: PlainRequest,
        _ head: RequestHead, _ target: RequestTarget, _ path: String
    ) -> Bool {
        guard path.hasSuffix("/") else {
            // Relative links in its page would lead astray. Not to "//": there are no empty
            // segments.
            let query = target.query.map { "?" + $0 } ?? ""
            var answer = Response(.movedPermanently, text: "This is a folder.")
            answer.add("Location", target.path + "/" + query)
            respond(answer, request)
            return true
        }
        if case .file(let file) = root.open(place + "index.html") {
            answer(with: file, place + "index.html", root, request, head)
            return true
        }
        guard worker.site.listsDirectories, path != "/" || worker.routes.isEmpty else {
            return false
        }
        guard isReading(head) else {
            respondNotAllowed(request)
            return true
        }
        list(folder, place, root, request, path)
        return true
    }

    private func list(
        _ folder: OpenFile, _ place: String, _ root: DocumentRoot, _ request: PlainRequest,
        _ path: String
    ) {
        do throws(SystemError) {
            let names = try folder.names(countLimit: DirectoryListing.countLimit).filter { name in
                root.mayShow(place + name)
            }
            let html = DirectoryListing.html(path: path, names: names)
            var page = Response(.ok, type: "text/html; charset=utf-8", body: Array(html.utf8))
            page.add("Content-Security-Policy", DirectoryListing.contentSecurityPolicy)
            respond(page, request)
        } catch {
            worker.log(.error, "cannot list \(escaped(place)): \(error)")
            respondBusy(request)
        }
    }

    private func isReading(_ head: RequestHead) -> Bool {
        head.method == "GET" || head.method == "HEAD"
    }

    private func respondNotAllowed(_ request: PlainRequest) {
        respond(
            Response(.methodNotAllowed, text: "Files are for GET.", fields: ["Allow": "GET, HEAD"]),
            request)
    }

    func respondBusy(_ request: PlainRequest) {
        respond(
            Response(
                .serviceUnavailable, text: "The server is busy. Try again soon.",
                fields: ["Retry-After": "1"]),
            request)
    }
}

// MARK: - One file

extension Exchange {
    private func answer(
        with file: OpenFile, _ place: String, _ root: DocumentRoot, _ request: PlainRequest,
        _ head: RequestHead
    ) {
        guard isReading(head) else { return respondNotAllowed(request) }
        let now = time(nil)
        let representation =
            compressed(file, place, root, head, now)
            ?? FileRepresentation(file, name: place, now: now)
        switch representation.selection(head.fields) {
        case .whole:
            send(representation, 0..<representation.file.byteCount, .ok, request)
        case .parts(let ranges):
            if ranges.count > 1 { return send(representation, parts: ranges, request) }
            guard let range = ranges.first else { return }
            send(representation, range, .partialContent, request)
        case .notModified:
            // RFC 9110 §15.4.5: the fields that a cache needs, and no content.
            let isLast = writeHead(
                .notModified, fields(of: representation), isLast: request.isLast)
            finishAnswer(isLast: isLast)
        case .preconditionFailed:
            respond(Response(.preconditionFailed, text: "The file has changed since."), request)
        case .unsatisfiable:
            var answer = Response(.rangeNotSatisfiable, text: "The file has no such bytes.")
            answer.add("Content-Range", "bytes */\(representation.file.byteCount)")
            respond(answer, request)
        }
    }

    /// A compressed file beside the one asked for, if the client takes it and it is not older.
    private func compressed(
        _ file: OpenFile, _ place: String, _ root: DocumentRoot, _ head: RequestHead, _ now: Int
    ) -> FileRepresentation? {
        guard head.fields.contains("Accept-Encoding"), MediaType(fileName: place).isCompressible
        else {
            return nil
        }
        for coding in ContentCoding.accepted(head.fields, of: ["br", "gzip"]) {
            let suffix = coding == "br" ? ".br" : ".gz"
            if case .file(let smaller) = root.open(place + suffix),
                smaller.modificationTime >= file.modificationTime
            {
                return FileRepresentation(smaller, name: place, coding: coding, now: now)
            }
        }
        return nil
    }

    private func send(
        _ representation: FileRepresentation, _ range: Range<Int>, _ status: Status,
        _ request: PlainRequest
    ) {
        let (file, type) = (representation.file, representation.type.name)
        var fields = fields(of: representation, type: type, byteCount: range.count)
        if status == .partialContent {
            let value = RangeRequest.contentRange(range, byteCount: file.byteCount)
            try? fields.append("Content-Range", value)
        }
        let isLast = writeHead(status, fields, isLast: request.isLast)
        if !request.isHead && range.count > Self.copyByteLimit {
            stream.sendFile(file, range)
        } else if !request.isHead && !copy(file, range) {
            worker.log(.error, "a file became shorter or unreadable while it was sent")
            return stream.close()
        }
        finishAnswer(isLast: isLast)
    }

    /// Puts a few bytes of a file into the queue; false if the file has not got them.
    private func copy(_ file: OpenFile, _ range: Range<Int>) -> Bool {
        let place = UnsafeMutableRawBufferPointer(
            start: stream.reserve(range.count), count: range.count)
        guard file.read(into: place, at: range.lowerBound) == range.count else { return false }
        stream.commit(range.count)
        return true
    }

    private func send(
        _ representation: FileRepresentation, parts ranges: [Range<Int>], _ request: PlainRequest
    ) {
        let byteCount = representation.file.byteCount
        // Not to be guessed by who wrote the file: the parts could not be told apart.
        let boundary =
            String(UInt64.random(in: .min ... .max), radix: 36)
            + String(UInt64.random(in: .min ... .max), radix: 36)
        let multipart = MultipartRanges(
            ranges, type: representation.type.name, byteCount: byteCount, boundary: boundary)
        let fields = fields(
            of: representation, type: "multipart/byteranges; boundary=\(boundary)",
            byteCount: multipart.byteCount)
        let isLast = writeHead(.partialContent, fields, isLast: request.isLast)
        if !request.isHead {
            for part in multipart.parts {
                stream.write(part.head)
                stream.sendFile(representation.file, part.range)
            }
            stream.write(multipart.end)
        }
        finishAnswer(isLast: isLast)
    }

    /// - Parameter type: of the content; `nil`: the answer has none.
    private func fields(
        of representation: FileRepresentation, type: String? = nil, byteCount: Int = 0
    ) -> Fields {
        var fields: Fields = ["X-Content-Type-Options": "nosniff"]
        if let type {
            try? fields.append("Content-Type", type)
            try? fields.append("Content-Length", String(byteCount))
            try? fields.append("Accept-Ranges", "bytes")
        }
        let date = worker.dateTexts.text(secondsSince1970: representation.lastModified)
        try? fields.append("Last-Modified", date)
        try? fields.append("ETag", representation.entityTag.description)
        if representation.type.isCompressible { try? fields.append("Vary", "Accept-Encoding") }
        if let coding = representation.coding { try? fields.append("Content-Encoding", coding) }
        return fields
    }
}

extension DocumentRoot {
    /// Whether a name from a listing may be shown: it would be served, too.
    func mayShow(_ place: String) -> Bool {
        let name = place.hasSuffix("/") ? String(place.dropLast()) : place
        switch open(name) {
        case .file, .folder: return true
        case .nothing, .unreadable, .busy: return false
        }
    }
}
