// What the thread sanitizer does not see by itself: a lock that was waited for. Linked into what it runs by scripts/test-sanitized, and into
// nothing else.
//
// Swift's Mutex is taken and freed with an atomic exchange, which the compiler puts in the code that locks: the sanitizer sees that. When two
// want it at once, it waits in the kernel (FUTEX_LOCK_PI), inside the runtime's library, which is not built for the sanitizer: what such a lock
// guards then looks like a race. These two stand before the library's, call them, and say that what was done under the lock before its release
// has happened before what follows its taking, which is all that a lock promises. The address is that of the atomic, so that both ways agree.
//
// Should a later Swift name them otherwise, they are never called, and the false alarms are back.
#include <dlfcn.h>
#include <stdint.h>

#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *mutex

typedef SWIFT void Lock(uint32_t thread, SELF);
typedef SWIFT void Unlock(SELF);

void __tsan_acquire(void *address);
void __tsan_release(void *address);

Lock lockSlow __asm__(LOCK);
Unlock unlockSlow __asm__(UNLOCK);

static Lock *waitForIt;
static Unlock *wakeTheNext;

// Before Swift's own initializers.
__attribute__((constructor(101))) static void find(void) {
    waitForIt = (Lock *)dlsym(RTLD_NEXT, LOCK);
    wakeTheNext = (Unlock *)dlsym(RTLD_NEXT, UNLOCK);
}

SWIFT void lockSlow(uint32_t thread, SELF) {
    waitForIt(thread, mutex);
    __tsan_acquire(mutex);
}

SWIFT void unlockSlow(SELF) {
    __tsan_release(mutex);
    wakeTheNext(mutex);
}
