import Synchronization

/// A Boolean that threads share.
final class Flag: Sendable {
    private let storage = Atomic<Bool>(false)

    var value: Bool {
        get { storage.load(ordering: .sequentiallyConsistent) }
        set { storage.store(newValue, ordering: .sequentiallyConsistent) }
    }
}
