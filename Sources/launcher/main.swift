import EventLoop
import Glibc

StandardDescriptors.openClosed()
exit(Launcher().run(Array(CommandLine.arguments.dropFirst())))
