/// Something that knows its own place in a ``Roster``.
package protocol RosterMember: AnyObject {
    /// -1: in none. Set by the roster only.
    var rosterIndex: Int { get set }
}

/// A set of objects, in no order: adding and removing cost the same however many there are.
package struct Roster<Member: RosterMember> {
    /// Members all. An array of `Member` would have its type looked up in each call from another
    /// module: 2,500 instructions for a connection that comes and goes.
    private var objects: [AnyObject] = []

    package init() {}

    package var isEmpty: Bool { objects.isEmpty }
    package var count: Int { objects.count }
    package var members: [Member] {
        var members: [Member] = []
        members.reserveCapacity(objects.count)
        for object in objects { members.append(Self.member(object)) }
        return members
    }

    /// Its place changes when others are removed.
    package subscript(index: Int) -> Member { Self.member(objects[index]) }

    package mutating func add(_ member: Member) {
        member.rosterIndex = objects.count
        objects.append(member)
    }

    /// - Returns: false if the member was not in it.
    package mutating func remove(_ member: Member) -> Bool {
        let index = member.rosterIndex
        guard index >= 0, index < objects.count else { return false }
        objects.swapAt(index, objects.count - 1)
        Self.member(objects[index]).rosterIndex = index
        objects.removeLast()
        member.rosterIndex = -1
        return true
    }

    /// Forgets all without a call to them. Removing one afterwards has no effect.
    package mutating func removeAll() { objects = [] }

    private static func member(_ object: AnyObject) -> Member {
        unsafeDowncast(object, to: Member.self)  // `add` takes nothing else
    }
}
