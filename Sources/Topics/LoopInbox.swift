/// What was published for the subscribers of a loop and that it has not delivered yet. Touched
/// under the broker's lock.
struct LoopInbox {
    struct Item {
        let publication: Publication
        let group: SubscriberGroup
        let publisher: (any Subscriber)?
    }

    private(set) var items: [Item] = []
    /// Publications that were lost on their way, by group; they come after the items.
    private(set) var missed: [ObjectIdentifier: (group: SubscriberGroup, count: Int)] = [:]
    private var byteCount = 0
    let byteLimit: Int

    /// What an item takes beside its message, in bytes.
    private static let itemByteCount = 64

    init(byteLimit: Int) { self.byteLimit = byteLimit }

    var isEmpty: Bool { items.isEmpty && missed.isEmpty }

    /// - Returns: whether the loop has to be woken.
    mutating func put(
        _ publication: Publication, to group: SubscriberGroup, except publisher: (any Subscriber)?
    ) -> Bool {
        let wasEmpty = isEmpty
        let byteCount = publication.byteCount + Self.itemByteCount
        // Behind what was lost nothing is delivered: a subscriber would see it as if nothing were.
        if !missed.isEmpty || self.byteCount + byteCount > byteLimit && !items.isEmpty {
            note(missed: 1, of: group)
            return wasEmpty
        }
        self.byteCount += byteCount
        items.append(Item(publication: publication, group: group, publisher: publisher))
        return wasEmpty
    }

    mutating func note(missed count: Int, of group: SubscriberGroup) {
        missed[ObjectIdentifier(group), default: (group, 0)].count += count
    }

    mutating func takeAll() -> LoopInbox {
        guard !isEmpty else { return self }
        defer { self = LoopInbox(byteLimit: byteLimit) }
        return self
    }
}
