import EventLoop
import Glibc
import TestSupport
import Testing

@testable import WebSocketConnection

@Suite("Why a file cannot be opened")
struct FileErrorTests {
    /// Some of them do not happen to a superuser, who may run the tests.
    static let rows: [Row<Int32, FileError>] = [
        Row("nothing there", ENOENT, .notFound(path: "p")),
        Row("a file in the place of a folder", ENOTDIR, .notFound(path: "p")),
        Row("no permission", EACCES, .notPermitted(path: "p")),
        Row("not permitted", EPERM, .notPermitted(path: "p")),
        Row("a socket", ENXIO, .isNoFile(path: "p")),
        Row(
            "another reason", EMFILE,
            .unreadable(path: "p", SystemError("open", code: EMFILE))),
    ]

    @Test(arguments: rows)
    func reason(_ row: Row<Int32, FileError>) {
        let error = FileError("p", opening: SystemError("open", code: row.input))
        #expect(error == row.expected)
    }
}
