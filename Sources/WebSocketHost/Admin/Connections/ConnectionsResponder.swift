import EventLoop
import HTTPProtocol
import HTTPServer
import WebSocketProtocol

/// Lists the connections of all server processes, and closes one of them.
///
/// | request                   | answer                                                          |
/// | ------------------------- | --------------------------------------------------------------- |
/// | `GET /connections`        | 200 and ``ConnectionListing`` as JSON, of those that the query  |
/// |                           | asks for: ``ConnectionQuery``; 400: what is wrong with that     |
/// | `DELETE /connections/ID`  | 202: it gets a Close with `code`, 1001 unless given, and        |
/// |                           | `reason`; 400: no Close may have these; 404: no connection has  |
/// |                           | this id; 503: it may be where nobody can look at present        |
final class ConnectionsResponder: Responder {
    /// It owns the loop that this is on.
    private unowned let server: Server

    init(_ server: Server) { self.server = server }

    func respond(to request: inout Request, _ exchange: Exchange) -> Reply {
        let path = request.path
        if path.isExactly("/connections") { return list(request, exchange) }
        guard path.beginsExactly(with: "/connections/") else { return .pass }
        guard request.head.method == "DELETE" else {
            return .response(
                Response(
                    .methodNotAllowed, text: "Only DELETE is allowed here.",
                    fields: ["Allow": "DELETE"]))
        }
        let id = String(Substring(path.utf8.dropFirst("/connections/".utf8.count)))
        return kick(id, request, exchange)
    }

    private func list(_ request: Request, _ exchange: Exchange) -> Reply {
        guard request.isReading else { return .response(.readOnly) }
        let text = request.query ?? ""
        let query: ConnectionQuery
        do throws(ConnectionQuery.Failure) {
            query = try ConnectionQuery(text)
        } catch {
            return .response(Response(.badRequest, text: error.text))
        }
        return .answering(
            GatheredAnswer(exchange, request) { [server] then in
                server.listConnections(query, text) { then(Response(.ok, json: $0.json)) }
            })
    }

    private func kick(_ id: String, _ request: Request, _ exchange: Exchange) -> Reply {
        let close: Close
        do throws(CloseFailure) {
            close = try Self.close(Query(request.query ?? ""))
        } catch {
            return .response(Response(.badRequest, text: error.text))
        }
        guard let (process, number) = Self.numbers(id) else {
            return .response(Self.response(.unknown, id, close))
        }
        return .answering(
            GatheredAnswer(exchange, request) { [server] then in
                server.kick(number, ofProcess: process, close) {
                    then(Self.response($0, id, close))
                }
            })
    }

    private struct CloseFailure: Error { let text: String }

    private static func close(_ query: Query) throws(CloseFailure) -> Close {
        var code = CloseCode.goingAway
        for item in query.items where item.name != "code" && item.name != "reason" {
            throw CloseFailure(text: "Only code and reason may be given.")
        }
        if let text = query["code"] {
            guard let number = number(text, UInt16.self),
                CloseCode(rawValue: number).isSendable
            else {
                throw CloseFailure(
                    text: "code is a number that a Close may have: 1000 to 1003, 1007 to 1014, or "
                        + "3000 to 4999.")
            }
            code = CloseCode(rawValue: number)
        }
        let close = Close(code, reason: query["reason"] ?? "")
        guard close.isSendable else {
            throw CloseFailure(
                text: "reason has at most \(Close.reasonByteLimit) bytes of UTF-8.")
        }
        return close
    }

    /// Of digits alone: a number type reads signs too.
    private static func number<Number: FixedWidthInteger>(
        _ text: some StringProtocol, _ type: Number.Type
    ) -> Number? {
        text.utf8.allSatisfy { 0x30...0x39 ~= $0 } ? Number(text) : nil
    }

    /// `PROCESS-NUMBER`
    private static func numbers(_ id: String) -> (process: UInt64, number: UInt64)? {
        let parts = id.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let process = number(parts[0], UInt64.self),
            let number = number(parts[1], UInt64.self)
        else { return nil }
        return (process, number)
    }

    private static func response(_ outcome: KickOutcome, _ id: String, _ close: Close) -> Response {
        switch outcome {
        case .closing:
            let code = close.code?.rawValue ?? 0
            return Response(.accepted, json: "{\"id\":\(quotedAsJSON(id)),\"code\":\(code)}")
        case .unknown:
            return Response(.notFound, text: "No open connection has the id \(escaped(id)).")
        case .missing(let names):
            return Response(
                .serviceUnavailable,
                text: "It was not found, but could not be looked for everywhere: \(names). It is "
                    + "closed if that comes round.")
        }
    }
}
