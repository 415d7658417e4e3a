import EventLoop

/// What a build found, compared with the program that was there before.
package struct BuildReport: Equatable, Sendable {
    package enum Kind: String, Sendable { case added, changed, removed }

    package struct Change: Equatable, Sendable {
        package let kind: Kind
        /// Below the handlers directory.
        package let path: String

        package init(kind: Kind, path: String) { (self.kind, self.path) = (kind, path) }
    }

    package var changes: [Change] = []
    /// Whether the server's own sources, or the compiler, changed.
    package var isServerNew = false
    /// Handler files that do not compile; what they were before stays in the program.
    package var kept: [String] = []
    /// Files that do not compile: handler files that are left out, or helper files.
    package var broken: [String] = []

    package init() {}

    init(before: BuildRecord?, after: BuildRecord) {
        self.init(broken: after)
        let old = before?.files ?? [:]
        let new = after.files
        for item in after.items {
            guard let file = old[item.file.exactPath] else {
                changes.append(Change(kind: .added, path: item.file.path))
                continue
            }
            if file.digest != item.file.digest {
                changes.append(Change(kind: .changed, path: item.file.path))
            }
        }
        for item in before?.items ?? [] where new[item.file.exactPath] == nil {
            changes.append(Change(kind: .removed, path: item.file.path))
        }
        isServerNew = before?.server != after.server
    }

    /// Nothing changed; what does not compile still does not.
    init(broken record: BuildRecord) {
        for item in record.items {
            switch item.state {
            case .good: break
            case .kept: kept.append(item.file.path)
            case .broken: broken.append(item.file.path)
            }
        }
    }

    /// Whether nothing is in the program that was not there before.
    package var isUnchanged: Bool {
        !changes.isEmpty && !isServerNew && changes.allSatisfy { kept.contains($0.path) }
    }

    /// Whether programs are there that were not, or the other way round: the server's own program
    /// may be the same all the same.
    package var changesPrograms: Bool {
        changes.contains { !$0.path.endsExactly(with: ".swift") }
    }

    /// A line each, with a tab between the words.
    package var text: String {
        let lines =
            changes.map { "\($0.kind)\t\($0.path)" } + (isServerNew ? ["core"] : [])
            + kept.map { "kept\t\($0)" } + broken.map { "broken\t\($0)" }
        return lines.map { $0 + "\n" }.joined()
    }
}
