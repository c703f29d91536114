#pragma once
// What a benchmark needs to know and only C can say.

#include <stdbool.h>
#include <stdint.h>

/// Starts or stops counting calls of malloc, calloc, realloc, aligned_alloc, posix_memalign and memalign, on all
/// threads. Programs that link this target have these functions replaced by ones that count and then do what the C
/// library does. Only with glibc and without sanitizers; elsewhere nothing is ever counted.
void cetnet_count_allocations(bool counting);

/// Calls counted since the program started.
int64_t cetnet_counted_allocations(void);

/// Calls `function` ("malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign") once and frees what it gave.
/// False if there is no such function or no memory.
bool cetnet_allocate_once(const char *function);

/// The C compiler's name and version.
const char *cetnet_compiler(void);

/// Whether the C compiler was asked to optimise.
bool cetnet_is_optimised(void);
