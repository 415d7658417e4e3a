/// Something that knows its own place in a ``Roster``.
package protocol RosterMember: AnyObject {
    /// -1: in none. Set by the roster only.
    var rosterIndex: Int { get set }
}

/// A set of objects, in no order: adding and removing cost the same however many there are.
package struct Roster<Member: RosterMember> {
    package private(set) var members: [Member] = []

    package init() {}

    package var isEmpty: Bool { members.isEmpty }
    package var count: Int { members.count }

    package mutating func add(_ member: Member) {
        member.rosterIndex = members.count
        members.append(member)
    }

    /// - Returns: false if the member was not in it.
    package mutating func remove(_ member: Member) -> Bool {
        let index = member.rosterIndex
        guard members.indices.contains(index) else { return false }
        members.swapAt(index, members.count - 1)
        members[index].rosterIndex = index
        members.removeLast()
        member.rosterIndex = -1
        return true
    }

    /// Forgets all without a call to them. Removing one afterwards has no effect.
    package mutating func removeAll() { members = [] }
}
