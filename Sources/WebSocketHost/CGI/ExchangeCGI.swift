import EventLoop
import HTTPProtocol

// Requests that a script answers.

extension Exchange {
    /// RFC 3875 §6.2.2: "a script MUST NOT" lead into a loop; 5 is enough for all others.
    private static let redirectCountLimit = 5

    private static let fieldsOfOneResource = [
        "Content-Length", "Content-Type", "Transfer-Encoding", "Expect", "Range", "If-Range",
        "If-Match",
        "If-None-Match", "If-Modified-Since", "If-Unmodified-Since",
    ]

    /// Runs the script that a path leads to.
    ///
    /// - Returns: false if the path is not one for scripts; then there is no answer yet.
    func answerFromScript(
        _ head: RequestHead, _ target: RequestTarget, _ path: String
    ) -> Bool {
        guard let root = worker.site.documentRoot,
            root.scriptFolders.contains(where: { path.hasPrefix($0) })
        else { return false }
        let request = PlainRequest(afterBodyOf: head)
        switch find(path, target, root) {
        case .refusal(let response): respond(response, PlainRequest(head, isUpgrade: false))
        case .script(let script): start(script, head, request, target, root)
        }
        return true
    }

    private enum FoundScript {
        case script(Script)
        case refusal(Response)
    }

    /// The first file on the way; what follows it is for the script.
    private func find(
        _ path: String, _ target: RequestTarget, _ root: DocumentRoot
    ) -> FoundScript {
        let nothing = Response(.notFound, text: "No script is here.")
        guard let place = DocumentRoot.relativePath(path, rawPath: target.path) else {
            return .refusal(nothing)
        }
        var name = ""
        for segment in place.split(separator: "/") {
            name += name.isEmpty ? String(segment) : "/" + segment
            let isBelow = root.scriptFolders.contains { ("/" + name).hasPrefix($0) }
            guard isBelow else { continue }
            switch root.open(name, isScript: true) {
            case .folder: continue
            case .nothing: return .refusal(nothing)
            case .busy: return .refusal(Response(.serviceUnavailable, text: "The server is busy."))
            case .unreadable: return .refusal(Response(.forbidden, text: "This is not a script."))
            case .file(let file):
                guard file.isExecutable, let place = root.place(of: file) else {
                    worker.log(.info, "\(escaped(path)): the script is not executable")
                    return .refusal(Response(.forbidden, text: "This is not a script."))
                }
                let pathInfo = String(path.dropFirst(name.count + 1))
                return .script(Script(file: place, name: "/" + name, pathInfo: pathInfo))
            }
        }
        return .refusal(nothing)
    }

    private func start(
        _ script: Script, _ head: RequestHead, _ request: PlainRequest, _ target: RequestTarget,
        _ root: DocumentRoot
    ) {
        guard worker.site.beginScript() else {
            worker.log(.warning, "\(escaped(script.name)): 503, --cgi-max-processes are running")
            return respondBusy(PlainRequest(head, isUpgrade: false))
        }
        let (user, local, remote, isSecure) = (user, stream.localAddress, stream.peer, isSecure)
        do throws(RequestBodyError) {
            cgi = try CGIExchange(self, head, request, scriptName: script.name) { bodyByteCount in
                CGIEnvironment(
                    head: head, script: script, query: target.query, documentRoot: root.realFolder,
                    user: user, local: local, remote: remote, isSecure: isSecure,
                    bodyByteCount: bodyByteCount)
            }
        } catch {
            worker.site.endScript()
            return respond(Response(error.status, text: "\(error)"), request.last)
        }
        // RFC 9110 §10.1.1: the client waits for this before it sends the body.
        if head.hasBody && head.version >= .http11
            && head.fields.hasElement("100-continue", in: "Expect")
        {
            stream.write(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
        }
        readBody()
    }

    /// Gives what came to the script's request body. What follows that is the next request.
    func readBody() {
        guard let cgi, cgi.isReadingBody else { return }
        let result = pipelined.withUnsafeBytes { bytes in
            Result { () throws(RequestBodyError) in
                try cgi.read(UnsafeRawBufferPointer(rebasing: bytes[pipelinedOffset...]))
            }
        }
        switch result {
        case .success(let byteCount):
            pipelinedOffset += byteCount
            if pipelinedOffset == pipelined.count { (pipelined, pipelinedOffset) = ([], 0) }
        case .failure(let error):
            self.cgi = nil
            cgi.abandon()
            respond(Response(error.status, text: "\(error)"), isLast: true)
        }
    }

    /// RFC 3875 §6.2.2: answers as if `target` had been asked for.
    func redirectLocally(to target: String, _ request: PlainRequest) {
        redirectCount += 1
        // What was about the body and about the other resource.
        var fields = request.redirectFields
        for name in Self.fieldsOfOneResource { fields.remove(name) }
        guard redirectCount <= Self.redirectCountLimit,
            let head = try? RequestHead(
                method: request.isHead ? "HEAD" : "GET", target: target, version: request.version,
                fields: fields)
        else {
            worker.log(.error, "\(escaped(target)): a script's Location that leads nowhere")
            return respond(
                Response(.badGateway, text: "The script's answer is not usable."), request)
        }
        answerAdmitted(head)
    }
}
