/// How a loop groups what is ready: a few descriptors are read, then the jobs run that this woke,
/// then what they wrote is sent, because code and data of each of the three stay in the processor's
/// caches that way.
///
/// Against one descriptor after the other, in messages beside a server in C (docs/PERFORMANCE.md):
/// an echo on 100 connections 0.82 → 0.87, with 16 messages at a time 0.67 → 0.70, on 1,000
/// connections 0.73 → 0.83. It depends on nothing in the runtime.
enum Batching {
    /// Ready descriptors in a batch: 64, 128 or 512 gain nothing, and the first one's answer waits
    /// for the others.
    static let eventLimit = 32
    /// 16 KiB received end a batch: with what comes of them, as much as a processor's first cache
    /// holds. 32 KiB cost 2 % where 16 messages come at a time.
    static let byteLimit = 16_384
}
