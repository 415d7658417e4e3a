import Testing

/// All tests of this module, one after the other: they block the thread they run on, and there are
/// few.
@Suite("Processes", .serialized, .timeLimit(.minutes(3)))
enum ProcessesTests {}
