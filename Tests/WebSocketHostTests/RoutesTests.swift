import EventLoop
import Testing

@testable import WebSocketHost

@Suite("Routes")
struct RoutesTests {
    private let handler = WebSocketHandler { _ in }

    @Test("exact match, aliases in order, failures listed")
    func routes() {
        var routes = Routes([
            Registration(route: "/echo", source: "echo_wsh.swift", handler: handler),
            Registration(
                route: "/bad", source: "bad_wsh.swift", failure: "bad_wsh.swift:1:1: error: x"),
        ])
        #expect(
            routes.find("/echo") != nil && routes.find("/echo/") == nil
                && routes.find("echo") == nil)
        let added = [("/", "/echo"), ("/second", "/"), ("/third", "/none")].map { alias, existing in
            routes.add(alias: alias, for: existing)
        }
        #expect(added == [true, true, false])
        #expect(routes.find("/second")?.source == "echo_wsh.swift")
        #expect(routes.listing.map(\.path) == ["/", "/bad", "/echo", "/second"])
        #expect(routes.listing[1].failure == "bad_wsh.swift:1:1: error: x")
    }

    @Test("paths are bytes: two that are one text to Swift are two routes")
    func normalForms() {
        let (composed, decomposed) = ("/caf\u{E9}", "/cafe\u{301}")
        var routes = Routes([
            Registration(route: composed, source: "1", handler: handler),
            Registration(route: decomposed, source: "2", handler: handler),
        ])
        #expect(routes.find(composed)?.source == "1" && routes.find(decomposed)?.source == "2")
        #expect(routes.listing.map(\.source) == ["2", "1"])
        // U+212A is the sign for Kelvin.
        routes.add("/K", handler)
        #expect(routes.find("/\u{212A}") == nil)
        let isAdded = routes.add(alias: "/x", for: "/\u{212A}")
        #expect(!isAdded)
    }

    @Test("a file that is left out takes none along whose name has other bytes")
    func leftOut() throws {
        let (composed, decomposed) = ("caf\u{E9}_wsh.swift", "cafe\u{301}_wsh.swift")
        let routes = Routes([
            Registration(route: "/1", source: composed, handler: handler),
            Registration(route: "/2", source: decomposed, handler: handler),
        ])
        routes.leaveOut(composed, for: .seconds(60))
        let now = MonotonicTime.current()
        #expect(try #require(routes.find("/1")).leftOut(at: now) != nil)
        #expect(try #require(routes.find("/2")).leftOut(at: now) == nil)
    }
}
