import HandlerRegistry
import Testing

@Suite("Names of programs")
struct ProgramFileTests {
    @Test(
        "route and kind",
        arguments: [
            ("count_wsh", "/count", .lines), ("sub/count_wsh", "/sub/count", .lines),
            ("camera_binary_wsh", "/camera", .lengthPrefixed), ("raw_bytes_wsh", "/raw", .bytes),
            ("chat_shared_wsh", "/chat", .shared), ("_wsh", "/", .lines),
            ("a_shared_shared_wsh", "/a_shared", .shared), ("shared_wsh", "/shared", .lines),
            ("e\u{301}_wsh", "/e\u{301}", .lines),
        ] as [(String, String, ProgramFile.Kind)])
    func names(_ path: String, _ route: String, _ kind: ProgramFile.Kind) throws {
        let program = try #require(ProgramFile(path: path))
        #expect(program.route == route && program.kind == kind && program.path == path)
    }

    @Test(
        "other names",
        arguments: ["count", "count_wsh.sh", "count_wsh.swift", "wsh", "count_wsh/x", ""])
    func others(_ path: String) { #expect(ProgramFile(path: path) == nil) }
}
