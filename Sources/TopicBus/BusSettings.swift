/// The limits of a bus.
package struct BusSettings: Sendable, Hashable {
    /// What may wait for one other process to read, and for this one's control loop to come round.
    /// What is beyond is left out and counted, and the subscribers there get the word of their
    /// policy. One publication may wait however long it is. 4 MiB: some 10,000 short messages a
    /// second for a process that stops for some seconds.
    package var queueByteLimit = 4 << 20
    /// The longest message that other processes may publish, in bytes of payload.
    package var messageByteLimit: Int
    /// How long a new process waits for the answers of the others. One that is stopped does not
    /// answer; everybody else needs some milliseconds.
    package var answerTimeout: Duration = .seconds(1)

    /// Questions to another process that may wait for their answers; more are not asked.
    package var questionLimit = 64
    /// How long an answer is waited for. Longer than any process takes whose control loop turns.
    package var questionTimeout: Duration = .seconds(2)
    /// The longest answer; a longer one is none. 8 MiB: more than a list of connections may be.
    package var answerByteLimit = 8 << 20

    package init(messageByteLimit: Int) { self.messageByteLimit = messageByteLimit }

    var frameByteLimit: Int { messageByteLimit + BusFrame.surroundingByteLimit }
}
