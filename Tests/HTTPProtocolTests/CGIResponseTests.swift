import HTTPProtocol
import TestSupport
import Testing

@Suite("RFC 3875 §6 CGI response")
struct CGIResponseTests {
    struct Summary: Hashable, Sendable {
        var kind = CGIResponse.Kind.document
        var code = 200
        var fields: Fields = [:]
        var length: Int?
        var consumed = 0
    }

    static let rows: [Row<String, Result<Summary?, CGIResponseError>>] = [
        Row(
            "document", "Content-Type: text/plain\n\nhello",
            .success(Summary(fields: ["Content-Type": "text/plain"], consumed: 26))),
        Row(
            "CR LF", "Content-Type: text/plain\r\n\r\n",
            .success(Summary(fields: ["Content-Type": "text/plain"], consumed: 28))),
        Row(
            "status", "Status: 404 Gone away\nContent-Type: a/b\n\n",
            .success(Summary(code: 404, fields: ["Content-Type": "a/b"], consumed: 41))),
        Row("status alone", "Status: 204\n\n", .success(Summary(code: 204, consumed: 13))),
        Row(
            "local redirect", "Location: /a?b\n\n",
            .success(
                Summary(
                    kind: .localRedirect("/a?b"), code: 302, fields: ["Location": "/a?b"],
                    consumed: 16))),
        Row(
            "client redirect", "Location: http://a/\n\n",
            .success(Summary(code: 302, fields: ["Location": "http://a/"], consumed: 21))),
        Row(
            "redirect to another host is no local one", "Location: //a/\n\n",
            .success(Summary(code: 302, fields: ["Location": "//a/"], consumed: 16))),
        Row(
            "redirect with document", "Location: /a\nStatus: 301\nContent-Type: a/b\n\n",
            .success(
                Summary(code: 301, fields: ["Location": "/a", "Content-Type": "a/b"], consumed: 44))
        ),
        Row(
            "length", "Content-Type: a/b\nContent-Length: 5\n\n",
            .success(Summary(fields: ["Content-Type": "a/b"], length: 5, consumed: 37))),
        Row(
            "connection's fields",
            "Content-Type: a/b\nConnection: x\nTransfer-Encoding: chunked\n\n",
            .success(Summary(fields: ["Content-Type": "a/b"], consumed: 60))),
        Row(
            "other fields", "X: y\nContent-Type: a/b\nSet-Cookie: a\nSet-Cookie: b\n\n",
            .success(
                Summary(
                    fields: [
                        "X": "y", "Content-Type": "a/b", "Set-Cookie": "a", "Set-Cookie": "b",
                    ],
                    consumed: 52))),
        Row("incomplete", "Content-Type: a/b\n", .success(nil)),
        Row("nothing needed is there", "X: y\n\n", .failure(.lacksContentType)),
        Row("empty head", "\n", .failure(.lacksContentType)),
        Row("no colon", "hello\n", .failure(.malformedLine)),
        Row("folded", "Content-Type: a/b\n c\n\n", .failure(.malformedLine)),
        Row("space before the colon", "Content-Type : a/b\n\n", .failure(.malformedLine)),
        Row("CR within", "Content-Type: a\rb\n\n", .failure(.malformedLine)),
        Row("two statuses", "Status: 200\nstatus: 404\n\n", .failure(.duplicateField("Status"))),
        Row("status 101", "Status: 101 x\n\n", .failure(.invalidStatus("101 x"))),
        Row(
            "status of a line", "Status: HTTP/1.1 200 OK\n\n",
            .failure(.invalidStatus("HTTP/1.1 200 OK"))),
        Row("status of four digits", "Status: 2000\n\n", .failure(.invalidStatus("2000"))),
        Row("too long", String(repeating: "x", count: 101), .failure(.headTooLong(byteLimit: 100))),
    ]

    private func parse(_ pieces: [ArraySlice<UInt8>]) -> Result<Summary?, CGIResponseError> {
        var parser = CGIResponseParser(byteLimit: 100)
        var fed = 0
        for piece in pieces {
            let result = piece.withUnsafeBytes { bytes in
                Result { () throws(CGIResponseError) in try parser.parse(bytes) }
            }
            switch result {
            case .failure(let error): return .failure(error)
            case .success(nil): fed += piece.count
            case .success(let (response, count)?):
                return .success(
                    Summary(
                        kind: response.kind, code: response.status.code, fields: response.fields,
                        length: response.contentLength, consumed: fed + count))
            }
        }
        return .success(nil)
    }

    @Test("whole, byte by byte and at each cut", arguments: rows)
    func heads(_ row: Row<String, Result<Summary?, CGIResponseError>>) {
        let bytes = Array(row.input.utf8)
        #expect(parse([bytes[...]]) == row.expected)
        #expect(parse(bytes.indices.map { bytes[$0...$0] }) == row.expected)
        for cut in bytes.indices {
            #expect(parse([bytes[..<cut], bytes[cut...]]) == row.expected, "cut at \(cut)")
        }
    }
}
