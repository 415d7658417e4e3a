import Glibc

// `registrations` is generated from the handlers directory, see Sources/RegistryGenerator.
exit(Program.run(Array(CommandLine.arguments.dropFirst()), registrations))
