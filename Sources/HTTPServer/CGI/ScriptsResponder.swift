import EventLoop
import HTTPProtocol
import Logging
import Synchronization

/// Runs the scripts of a document root. One for all loops: it counts what runs.
package final class ScriptsResponder: Responder, Sendable {
    private let root: DocumentRoot
    let settings: CGISettings
    /// Scripts that run.
    private let scriptCount = Atomic<Int>(0)
    /// What came of bodies whose scripts do not run yet.
    let waitingBodies: HeldBodies

    /// RFC 3875 §6.2.2: "a script MUST NOT" lead into a loop; 5 is enough for all others.
    private static let redirectCountLimit = 5

    /// - Returns: `nil` if the root has no folder for scripts.
    package init?(_ root: DocumentRoot, _ settings: CGISettings) {
        guard !root.scriptFolders.isEmpty else { return nil }
        self.root = root
        self.settings = settings
        waitingBodies = HeldBodies(byteLimit: settings.waitingBodyByteLimit)
    }

    package func respond(to request: inout Request, _ exchange: Exchange) -> Reply {
        let path = request.path
        guard root.scriptFolders.contains(where: { path.beginsExactly(with: $0) }) else {
            return .pass
        }
        switch find(request, exchange.log) {
        case .refusal(let response): return .response(response)
        case .script(let script): return start(script, request, exchange)
        }
    }

    private enum Found {
        case script(CGIScript)
        case refusal(Response)
    }

    /// The first file on the way; what follows it is for the script.
    private func find(_ request: Request, _ log: Log) -> Found {
        let nothing = Response(.notFound, text: "No script is here.")
        let path = request.path
        guard let place = DocumentRoot.relativePath(path, rawPath: request.rawPath) else {
            return .refusal(nothing)
        }
        var name = ""
        for segment in place.utf8.split(separator: UInt8(ascii: "/")) {
            name += (name.isEmpty ? "" : "/") + String(Substring(segment))
            guard root.scriptFolders.contains(where: { ("/" + name).beginsExactly(with: $0) })
            else { continue }
            switch root.open(name, isScript: true) {
            case .folder: continue
            case .nothing: return .refusal(nothing)
            case .busy: return .refusal(.busy)
            case .unreadable: return .refusal(Response(.forbidden, text: "This is not a script."))
            case .file(let file):
                guard file.isExecutable, let place = file.realPath else {
                    log(.info, "\(escaped(path)): the script is not executable")
                    return .refusal(Response(.forbidden, text: "This is not a script."))
                }
                let pathInfo = String(Substring(path.utf8.dropFirst(name.utf8.count + 1)))
                return .script(CGIScript(file: place, name: "/" + name, pathInfo: pathInfo))
            }
        }
        return .refusal(nothing)
    }

    private func start(_ script: CGIScript, _ request: Request, _ exchange: Exchange) -> Reply {
        // Asked again when the body is there; but why have it sent in vain.
        guard scriptCount.load(ordering: .relaxed) < settings.processCountLimit else {
            logFull(script, exchange.log)
            return .response(.busy)
        }
        let environment = CGIEnvironment(
            request: request, script: script, documentRoot: root.realFolder,
            local: exchange.localAddress, remote: exchange.address(of: request),
            isSecure: exchange.isSecure(request))
        do throws(RequestBodyError) {
            return .answering(try ScriptRun(exchange, request.afterBody, self, environment))
        } catch {
            exchange.respond(
                Response(error.status, text: "\(error)"), to: request.withoutBody)
            return .later
        }
    }

    /// Counts a script that is about to run; false if as many run as may, which is logged.
    func countIn(_ script: CGIScript, _ log: Log) -> Bool {
        guard scriptCount.add(1, ordering: .relaxed).newValue <= settings.processCountLimit else {
            countOut()
            logFull(script, log)
            return false
        }
        return true
    }

    /// A script has ended.
    func countOut() { scriptCount.subtract(1, ordering: .relaxed) }

    private func logFull(_ script: CGIScript, _ log: Log) {
        log(.warning, "\(escaped(script.name)): 503, --cgi-max-processes are running")
    }

    /// RFC 3875 §6.2.2: answers as if `target` had been asked for.
    func redirect(_ request: Request, to target: String, _ exchange: Exchange) {
        let next = request.redirected(to: target, exchange.owner.settings)
        guard let next, next.redirectCount <= Self.redirectCountLimit else {
            exchange.log(.error, "\(escaped(target)): a script's Location is not usable")
            return exchange.respond(
                Response(.badGateway, text: "The script's answer is not usable."), to: request)
        }
        exchange.choose(next)
    }
}
