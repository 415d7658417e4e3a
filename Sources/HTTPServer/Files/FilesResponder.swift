import EventLoop
import HTTPProtocol
import Logging

/// Answers with what lies in the document root. An upgrade is never for a file.
package final class FilesResponder: Responder, Sendable {
    private let root: DocumentRoot
    private let listsFolders: Bool
    private let listsRoot: Bool

    /// - Parameters:
    ///   - listsFolders: whether a folder without an `index.html` is listed.
    ///   - listsRoot: whether the root is, too.
    package init(_ root: DocumentRoot, listsFolders: Bool, listsRoot: Bool) {
        self.root = root
        self.listsFolders = listsFolders
        self.listsRoot = listsRoot
    }

    package func respond(to request: inout Request, _ exchange: Exchange) -> Reply {
        guard !request.isUpgrade,
            let place = DocumentRoot.relativePath(request.path, rawPath: request.rawPath)
        else { return .pass }
        switch root.open(place) {
        case .nothing: return .pass
        case .unreadable:
            exchange.log(.info, "no permission to read \(escaped(place)) in the document root")
            return .response(Response(.forbidden, text: "The server may not read this file."))
        case .busy: return .response(.busy)
        case .file(let file): return answer(request, with: file, place, exchange)
        case .folder(let folder): return answer(request, with: folder, place: place, exchange)
        }
    }

    private func answer(
        _ request: Request, with folder: OpenFile, place: String, _ exchange: Exchange
    ) -> Reply {
        guard request.path.endsExactly(with: "/") else {
            // Relative links in its page would be wrong. Never to "//": no segment is empty.
            let query = request.query.map { "?" + $0 } ?? ""
            var answer = Response(.movedPermanently, text: "This is a folder.")
            let base = request.base?.urlPath ?? ""
            answer.fields.add("Location", base + request.rawPath + "/" + query)
            return .response(answer)
        }
        let index = place + "index.html"
        if case .file(let file) = root.open(index) {
            return answer(request, with: file, index, exchange)
        }
        guard listsFolders, request.path != "/" || listsRoot else { return .pass }
        guard request.isReading else { return .response(.readOnly) }
        return .response(listing(of: folder, place, request, exchange.log))
    }

    private func listing(
        of folder: OpenFile, _ place: String, _ request: Request, _ log: Log
    ) -> Response {
        do throws(SystemError) {
            let names = try folder.names(countLimit: DirectoryListing.countLimit).filter { name in
                root.mayShow(place + name)
            }
            let html = DirectoryListing.html(
                path: request.path, below: request.base?.description ?? "", names: names)
            var page = Response(.ok, type: "text/html; charset=utf-8", body: Array(html.utf8))
            page.fields.add("Content-Security-Policy", DirectoryListing.contentSecurityPolicy)
            return page
        } catch {
            log(.error, "cannot list \(escaped(place)): \(error)")
            return .busy
        }
    }
}

// MARK: - One file

extension FilesResponder {
    private func answer(
        _ request: Request, with file: OpenFile, _ place: String, _ exchange: Exchange
    ) -> Reply {
        guard request.isReading else { return .response(.readOnly) }
        let file =
            compressed(file, place, request.head) ?? FileRepresentation(file, name: place)
        switch file.selection(request.head.fields) {
        case .whole:
            FileAnswer(exchange, request, file).send(0..<file.byteCount, .ok)
        case .parts(let ranges):
            let answer = FileAnswer(exchange, request, file)
            if ranges.count == 1 {
                answer.send(ranges[0], .partialContent)
            } else {
                answer.send(parts: ranges)
            }
        case .notModified:
            FileAnswer(exchange, request, file).sendNotModified()
        case .preconditionFailed:
            return .response(
                Response(.preconditionFailed, text: "The file has changed since."))
        case .unsatisfiable:
            var answer = Response(.rangeNotSatisfiable, text: "The range is outside the file.")
            answer.fields.add("Content-Range", "bytes */\(file.byteCount)")
            return .response(answer)
        }
        return .later
    }

    /// A compressed file beside the one asked for, if the client takes it and it is not older.
    private func compressed(
        _ file: OpenFile, _ place: String, _ head: RequestHead
    ) -> FileRepresentation? {
        guard head.fields.contains("Accept-Encoding"), MediaType(fileName: place).isCompressible
        else { return nil }
        for coding in ContentCoding.accepted(head.fields, of: ["br", "gzip"]) {
            let suffix = coding == "br" ? ".br" : ".gz"
            if case .file(let smaller) = root.open(place + suffix),
                smaller.modificationTime >= file.modificationTime
            {
                return FileRepresentation(smaller, name: place, coding: coding)
            }
        }
        return nil
    }
}
