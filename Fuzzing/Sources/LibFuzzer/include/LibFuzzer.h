#include <stddef.h>
#include <stdint.h>

/// Runs libFuzzer on one function; comes with the toolchain's fuzzer library.
int LLVMFuzzerRunDriver(int *_Nonnull argc, char *_Nullable *_Nonnull *_Nonnull argv, int (*_Nonnull test)(const uint8_t *_Nullable data, size_t size));
