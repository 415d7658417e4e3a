// What `exitStatus(within:)` returns.
@_exported import enum Processes.ExitStatus
