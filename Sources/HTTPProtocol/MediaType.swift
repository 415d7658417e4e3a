/// What a file is, by the suffix of its name (RFC 9110 §8.3).
public struct MediaType: Sendable, Hashable {
    /// The value of `Content-Type`.
    public let name: String
    /// Whether compressing it is worth while, so that a compressed file may lie beside it.
    public let isCompressible: Bool

    private init(_ name: String, isCompressible: Bool) {
        self.name = name
        self.isCompressible = isCompressible
    }

    /// For unknown suffixes: a browser saves it.
    public static let unknown = MediaType("application/octet-stream", isCompressible: false)

    /// - Parameter fileName: a name or a path; the case of the suffix does not matter.
    public init(fileName: String) {
        let name = fileName.utf8.split(separator: Byte.slash).last ?? fileName.utf8[...]
        guard let dot = name.lastIndex(of: Byte.dot) else {
            self = .unknown
            return
        }
        let suffix = name[name.index(after: dot)...].map(Byte.lowercase)
        self = Self.bySuffix[String(decoding: suffix, as: UTF8.self)] ?? .unknown
    }

    private static let bySuffix: [String: MediaType] = {
        var types: [String: MediaType] = [:]
        for (suffixes, name, isCompressible) in table {
            for suffix in suffixes.split(separator: " ") {
                types[String(suffix)] = MediaType(name, isCompressible: isCompressible)
            }
        }
        return types
    }()

    /// From the IANA registry; text is UTF-8, as all that is written today.
    private static let table: [(suffixes: String, name: String, isCompressible: Bool)] = [
        ("html htm", "text/html; charset=utf-8", true),
        ("css", "text/css; charset=utf-8", true),
        ("js mjs", "text/javascript; charset=utf-8", true),
        ("txt log text", "text/plain; charset=utf-8", true),
        ("md markdown", "text/markdown; charset=utf-8", true),
        ("csv", "text/csv; charset=utf-8", true),
        ("vtt", "text/vtt; charset=utf-8", true),
        ("xml xsl", "application/xml", true),
        ("xhtml xht", "application/xhtml+xml", true),
        ("json map", "application/json", true),
        ("jsonld", "application/ld+json", true),
        ("webmanifest", "application/manifest+json", true),
        ("atom", "application/atom+xml", true),
        ("rss", "application/rss+xml", true),
        ("wasm", "application/wasm", true),
        ("svg", "image/svg+xml", true),
        ("ico", "image/vnd.microsoft.icon", true),
        ("png", "image/png", false),
        ("apng", "image/apng", false),
        ("jpg jpeg", "image/jpeg", false),
        ("gif", "image/gif", false),
        ("webp", "image/webp", false),
        ("avif", "image/avif", false),
        ("bmp", "image/bmp", true),
        ("tif tiff", "image/tiff", false),
        ("woff", "font/woff", false),
        ("woff2", "font/woff2", false),
        ("ttf", "font/ttf", true),
        ("otf", "font/otf", true),
        ("mp3", "audio/mpeg", false),
        ("m4a", "audio/mp4", false),
        ("oga ogg opus", "audio/ogg", false),
        ("wav", "audio/wav", false),
        ("flac", "audio/flac", false),
        ("mp4 m4v", "video/mp4", false),
        ("webm", "video/webm", false),
        ("ogv", "video/ogg", false),
        ("mpeg mpg", "video/mpeg", false),
        ("pdf", "application/pdf", false),
        ("zip", "application/zip", false),
        ("gz", "application/gzip", false),
        ("zst", "application/zstd", false),
        ("tar", "application/x-tar", true),
        ("7z", "application/x-7z-compressed", false),
    ]
}
