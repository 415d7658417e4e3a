import Synchronization

/// How many tasks of `/held` there are, for `/count` to tell.
public let runningHandlerCount = Atomic<Int>(0)
