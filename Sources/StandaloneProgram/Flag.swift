import Synchronization

/// A Boolean that several threads read and write.
final class Flag: Sendable {
    private let storage = Atomic<Bool>(false)

    var value: Bool {
        get { storage.load(ordering: .sequentiallyConsistent) }
        set { storage.store(newValue, ordering: .sequentiallyConsistent) }
    }
}
