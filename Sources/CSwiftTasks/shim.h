// Two functions that the Swift runtime exports. `withUnsafeCurrentTask` and `Task.isCancelled` say the
// same, but copy the task and look types up: 430 instructions for each message instead of 50.
#ifndef CSWIFTTASKS_SHIM_H
#define CSWIFTTASKS_SHIM_H

#include <stdbool.h>

// The running task; NULL outside of any.
__attribute__((swiftcall)) void *swift_task_getCurrent(void);
__attribute__((swiftcall)) bool swift_task_isCancelled(void *task);

#endif
