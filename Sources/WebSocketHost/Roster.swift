/// Something that knows its own place in a ``Roster``.
protocol RosterMember: AnyObject {
    /// -1: in none. Set by the roster only.
    var rosterIndex: Int { get set }
}

/// Who is here, in no order: adding and removing cost the same however many there are.
struct Roster<Member: RosterMember> {
    private(set) var members: [Member] = []

    var isEmpty: Bool { members.isEmpty }
    var count: Int { members.count }

    mutating func add(_ member: Member) {
        member.rosterIndex = members.count
        members.append(member)
    }

    /// - Returns: false if the member was not here.
    mutating func remove(_ member: Member) -> Bool {
        let index = member.rosterIndex
        guard members.indices.contains(index) else { return false }
        members.swapAt(index, members.count - 1)
        members[index].rosterIndex = index
        members.removeLast()
        member.rosterIndex = -1
        return true
    }

    /// Forgets all without telling them: what they do afterwards finds nobody.
    mutating func removeAll() { members = [] }
}
