import EventLoop

/// Runs the tasks of a hook on a loop, and has that note whose they are: no connection does.
final class RouteExecutor: TaskExecutor {
    let loop: Loop
    private let activity: Int

    init(_ loop: Loop, activity: Int) {
        self.loop = loop
        self.activity = activity
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.submit { [self] in
            loop.note(activity: activity)
            job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }
}
