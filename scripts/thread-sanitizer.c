// What the thread sanitizer does not see by itself of the Swift runtime, whose libraries are not built for it: two places where one thread waits
// for another. Linked into what scripts/test-sanitized runs, and into nothing else. The functions here stand before the runtime's of the same
// name, call them, and tell the sanitizer what these promise; they change nothing, and say nothing that is not so.
//
// Should a later Swift name or do these things otherwise, the functions are never called or useless, and the false alarms are back.
#include <dlfcn.h>
#include <stdint.h>

#define SWIFT __attribute__((swiftcall))
#define ASYNC __attribute__((swiftasynccall))

void __tsan_acquire(void *address);
void __tsan_release(void *address);

// A lock that was waited for. Swift's Mutex is taken and freed with an atomic exchange, which the compiler puts in the code that locks: the
// sanitizer sees that. When two want it at once, it waits in the kernel (FUTEX_LOCK_PI), inside the runtime: what such a lock guards then looks
// like a race. What was done before its release has happened before what follows its taking. The address is that of the atomic, so that a lock
// that is taken one way and freed the other orders too.

#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"
#define SELF __attribute__((swift_context)) void *mutex

SWIFT void lockSlow(uint32_t thread, SELF) __asm__(LOCK);
SWIFT void unlockSlow(SELF) __asm__(UNLOCK);

static SWIFT void (*runtimeLock)(uint32_t thread, SELF);
static SWIFT void (*runtimeUnlock)(SELF);

SWIFT void lockSlow(uint32_t thread, SELF) {
    runtimeLock(thread, mutex);
    __tsan_acquire(mutex);
}

SWIFT void unlockSlow(SELF) {
    __tsan_release(mutex);
    runtimeUnlock(mutex);
}

// A continuation that is resumed before its task waits for it. The runtime tells the sanitizer of every resumption (a release of the task), and of
// every task that is run (an acquisition). A task that finds its continuation resumed when it comes to wait goes on at once, without the second:
// https://github.com/swiftlang/swift/issues/57803. The way on is put right here: it is only taken in that case, since a task that has waited is
// run by way of what was noted in it when the continuation was made.

// The beginning of the runtime's ContinuationAsyncContext, which is part of its binary interface: compiled code fills it in.
typedef struct Continuation Continuation;
#define CONTEXT __attribute__((swift_async_context)) Continuation *continuation
typedef ASYNC void Resume(CONTEXT);
struct Continuation {
    void *parent;
    Resume *resume;
    uintptr_t flags;
};
enum { switchesExecutor = 2 };

SWIFT void *swift_task_getCurrent(void);
ASYNC void swift_continuation_await(Continuation *continuation);

static ASYNC void (*runtimeAwait)(Continuation *continuation);
// Of the continuation that this thread is about to wait for.
static _Thread_local Resume *wayOn;

static ASYNC void goOnAtOnce(CONTEXT) {
    __tsan_acquire(swift_task_getCurrent());
    continuation->resume = wayOn;
    return wayOn(continuation);
}

ASYNC void swift_continuation_await(Continuation *continuation) {
    // One that goes on elsewhere is enqueued there, and does not go on from here.
    if (!(continuation->flags & switchesExecutor)) {
        wayOn = continuation->resume;
        continuation->resume = goOnAtOnce;
    }
    return runtimeAwait(continuation);
}

// Before any Swift runs.
__attribute__((constructor(101))) static void findTheRuntime(void) {
    runtimeLock = dlsym(RTLD_NEXT, LOCK);
    runtimeUnlock = dlsym(RTLD_NEXT, UNLOCK);
    runtimeAwait = dlsym(RTLD_NEXT, "swift_continuation_await");
}
