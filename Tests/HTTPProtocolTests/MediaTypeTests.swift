import HTTPProtocol
import TestSupport
import Testing

@Suite("RFC 9110 §8 Representations")
struct MediaTypeTests {
    @Test(arguments: [
        ("index.html", "text/html; charset=utf-8"), ("A.HTML", "text/html; charset=utf-8"),
        ("sub/app.min.js", "text/javascript; charset=utf-8"),
        ("module.mjs", "text/javascript; charset=utf-8"),
        ("a.wasm", "application/wasm"), ("a.svg", "image/svg+xml"), ("a.json", "application/json"),
        ("a.tar.gz", "application/gzip"), ("noSuffix", "application/octet-stream"),
        ("dir.html/noSuffix", "application/octet-stream"), ("a.", "application/octet-stream"),
        ("", "application/octet-stream"), ("a.swift", "application/octet-stream"),
    ])
    func type(_ fileName: String, _ expected: String) {
        #expect(MediaType(fileName: fileName).name == expected)
    }

    static let codings: [Row<String?, [String]>] = [
        Row("no field", nil, []),
        Row("browser", "gzip, deflate, br, zstd", ["br", "gzip"]),
        Row("one", "gzip", ["gzip"]),
        Row("weights", "br;q=0.5, gzip;q=0.8", ["gzip", "br"]),
        Row("equal weights", "gzip;q=0.8, br;q=0.800", ["br", "gzip"]),
        Row("refused", "br;q=0, gzip;q=0.001", ["gzip"]),
        Row("all", "*", ["br", "gzip"]),
        Row("all but one", "*, br;q=0", ["gzip"]),
        Row("all refused", "*;q=0, gzip", ["gzip"]),
        Row("capitals", "GZIP;Q=1.0", ["gzip"]),
        Row("identity only", "identity", []),
        Row("no weight", "gzip;q=2, br;q=0.1234", []),
        Row("malformed", "gzip;;;=", []),
        Row("empty", "", []),
    ]

    @Test("§12.5.3 Accept-Encoding", arguments: codings)
    func coding(_ row: Row<String?, [String]>) throws {
        var fields = Fields()
        if let value = row.input { try fields.append("Accept-Encoding", value) }
        #expect(ContentCoding.accepted(fields, of: ["br", "gzip"]) == row.expected)
    }
}
