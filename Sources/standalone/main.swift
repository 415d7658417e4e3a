@preconcurrency import Glibc
import StandaloneProgram

// What a handler prints is seen at once, be standard output a terminal, a pipe or a file.
setvbuf(stdout, nil, _IOLBF, 0)

// `registrations` is generated from the handlers directory, see Sources/RegistryGenerator.
exit(Program.run(Array(CommandLine.arguments.dropFirst()), registrations))
