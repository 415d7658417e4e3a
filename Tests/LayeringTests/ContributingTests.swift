import Testing

/// Holds the table of CONTRIBUTING.md that leads from a change to its files to the tree.
@Suite("CONTRIBUTING.md leads to files that exist")
struct ContributingTests {
    @Test("each change names one to three files")
    func changes() throws {
        let rows = try Repository.tableRows("CONTRIBUTING.md", under: "## To change X, go to …")
        #expect(rows.count >= 12)
        for row in rows {
            let files = Repository.quoted(row.count > 1 ? row[1] : "")
            #expect((1...3).contains(files.count), "\(row.first ?? ""): \(files)")
            for file in files {
                #expect(Repository.exists(file), "\(row[0]): there is no \(file)")
            }
        }
    }
}
