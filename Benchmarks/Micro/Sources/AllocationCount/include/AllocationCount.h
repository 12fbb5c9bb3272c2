#pragma once
#include <stdint.h>

/// Calls of malloc and its kin by any thread since the process began. A `realloc` counts as one, whether or not it moves.
uint64_t allocation_count(void);

/// What they asked for in all, in bytes; a `realloc` counts with its whole new size.
uint64_t allocated_bytes(void);
