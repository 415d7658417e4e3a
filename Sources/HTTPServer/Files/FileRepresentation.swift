import EventLoop
import Glibc
import HTTPProtocol

/// A file as it is sent: as it lies there, or compressed beforehand (RFC 9110 §8).
struct FileRepresentation {
    let file: OpenFile
    let type: MediaType
    /// `gzip` or `br`; `nil`: as it is.
    var coding: String?
    let entityTag: EntityTag
    /// In seconds since 1970, not later than now (RFC 9110 §8.8.2.1).
    let lastModified: Int
    var byteCount: Int { file.byteCount }

    /// - Parameter name: the name that was requested: it gives the type also of a compressed file.
    init(_ file: OpenFile, name: String, coding: String? = nil) {
        let now = time(nil)
        self.file = file
        self.coding = coding
        type = MediaType(fileName: name)
        let seconds = file.modificationTime / 1_000_000_000
        lastModified = min(seconds, now)
        // What was written a moment ago may be written again within the clock's grain: Apache too
        // begins with a weak tag.
        entityTag = EntityTag(
            String(file.modificationTime, radix: 16) + "-" + String(file.byteCount, radix: 16),
            isWeak: now - seconds < 2)
    }

    /// What of it is asked for.
    enum Selection: Equatable {
        case whole
        case parts([Range<Int>])
        case notModified
        case preconditionFailed
        case unsatisfiable
    }

    /// RFC 9110 §13.2.2: the conditions come before the range.
    func selection(_ fields: Fields) -> Selection {
        let conditional = Conditional(entityTag: entityTag, lastModified: lastModified)
        switch conditional.evaluate(fields, isReading: true) {
        case .notModified: return .notModified
        case .preconditionFailed: return .preconditionFailed
        case .proceed: break
        }
        guard let value = fields["Range"],
            conditional.allowsRange(fields, isDateStrong: !entityTag.isWeak)
        else { return .whole }
        switch RangeRequest(value, byteCount: file.byteCount) {
        case .whole: return .whole
        case .parts(let ranges): return .parts(ranges)
        case .unsatisfiable: return .unsatisfiable
        }
    }
}

/// The parts of a `multipart/byteranges` answer (RFC 9110 §14.6): what goes before each range, and
/// the end.
struct MultipartRanges {
    let boundary: String
    let parts: [(head: [UInt8], range: Range<Int>)]
    let end: [UInt8]

    init(_ ranges: [Range<Int>], type: String, byteCount: Int, boundary: String) {
        self.boundary = boundary
        parts = ranges.enumerated().map { index, range in
            let lineEnd = index == 0 ? "" : "\r\n"
            let head = """
                \(lineEnd)--\(boundary)\r
                Content-Type: \(type)\r
                Content-Range: \(RangeRequest.contentRange(range, byteCount: byteCount))\r
                \r

                """
            return (Array(head.utf8), range)
        }
        end = Array("\r\n--\(boundary)--\r\n".utf8)
    }

    var byteCount: Int { parts.reduce(end.count) { $0 + $1.head.count + $1.range.count } }
}
