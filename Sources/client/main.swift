import EventLoop
import Glibc
import Processes

StandardDescriptors.openClosed()
// Before the first other thread, so that all of them leave these signals to this one. It must not
// be given away to the concurrency runtime (by an `await` here), whose main thread takes every
// signal.
Signals.block(ClosingSignals.signals)
let interruption = ClosingSignals()
Task.detached { [interruption] in
    exit(await ClientProgram.run(Array(CommandLine.arguments.dropFirst()), interruption).rawValue)
}
interruption.watch()
