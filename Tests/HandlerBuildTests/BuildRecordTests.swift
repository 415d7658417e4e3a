import EventLoop
import TestSupport
import Testing

@testable import HandlerBuild

@Suite("What a program was made from")
struct BuildRecordTests {
    private func item(
        _ path: String, _ digest: String, _ state: BuildRecord.State = .good
    ) -> BuildRecord.Item {
        BuildRecord.Item(
            file: HandlerFile(path: path, stamp: "1.2,3,4", digest: digest), state: state,
            key: state == .broken ? "" : "k")
    }

    private func record(_ items: BuildRecord.Item...) -> BuildRecord {
        var record = BuildRecord()
        (record.server, record.link, record.items) = ("s", "l", items)
        return record
    }

    @Test("is the same after it was written and read")
    func text() {
        let record = record(
            item("a b_wsh.swift", "1"), item("x/é_wsh.swift", "2", .kept),
            item("c_wsh.swift", "3", .broken), item("text.swift", "4"))
        #expect(BuildRecord(text: record.text) == record)
    }

    @Test(
        "another form is no record",
        arguments: ["", "\n", "0\ns\nl\n", "1\ns\nl\nwhat 1 2 3 4 a", "1\ns\nl\ngood 1 2"])
    func malformed(_ text: String) { #expect(BuildRecord(text: text) == nil) }

    @Test("two files whose names are one text to Swift are two")
    func normalForms() {
        let record = record(item("caf\u{E9}_wsh.swift", "1"), item("cafe\u{301}_wsh.swift", "2"))
        #expect(record.files.count == 2 && record.byPath.count == 2)
        #expect(record.byPath["cafe\u{301}_wsh.swift"]?.file.digest == "2")
        #expect(record.byPath["caf\u{E9}_wsh.swift"]?.file.digest == "1")
    }

    @Test("a report compares two")
    func report() {
        let before = record(
            item("a_wsh.swift", "1"), item("b_wsh.swift", "2"), item("gone_wsh.swift", "3"),
            item("same_wsh.swift", "4"))
        let after = record(
            item("a_wsh.swift", "5"), item("b_wsh.swift", "6", .kept),
            item("new_wsh.swift", "7", .broken), item("same_wsh.swift", "4"))
        let report = BuildReport(before: before, after: after)
        #expect(
            report.text
                == """
                changed\ta_wsh.swift
                changed\tb_wsh.swift
                added\tnew_wsh.swift
                removed\tgone_wsh.swift
                kept\tb_wsh.swift
                broken\tnew_wsh.swift

                """)
        #expect(!report.isUnchanged)
    }

    @Test("what was kept changes nothing")
    func unchanged() {
        let before = record(item("a_wsh.swift", "1"), item("b_wsh.swift", "2"))
        func after(_ a: BuildRecord.Item, _ b: BuildRecord.Item) -> Bool {
            BuildReport(before: before, after: record(a, b)).isUnchanged
        }
        #expect(after(item("a_wsh.swift", "3", .kept), item("b_wsh.swift", "2")))
        #expect(!after(item("a_wsh.swift", "3", .kept), item("b_wsh.swift", "4")))
        #expect(!after(item("a_wsh.swift", "3", .broken), item("b_wsh.swift", "2")))
        #expect(!after(item("a_wsh.swift", "1"), item("b_wsh.swift", "2")))
        var other = record(item("a_wsh.swift", "3", .kept))
        other.server = "another"
        #expect(!BuildReport(before: before, after: other).isUnchanged)
    }

    @Test("times alone are no change")
    func covers() {
        let record = record(item("a_wsh.swift", "1"))
        var files = HandlerFiles(handlers: [
            HandlerFile(path: "a_wsh.swift", stamp: "another", digest: "1")
        ])
        #expect(record.covers(files, server: "s") && !record.hasStamps(of: files))
        #expect(!record.covers(files, server: "another"))
        files.handlers[0].digest = "2"
        #expect(!record.covers(files, server: "s"))
    }
}
