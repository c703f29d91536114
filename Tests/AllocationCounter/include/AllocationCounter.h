#pragma once
// Counts what allocates memory. Not part of any product that users run: tests link it, and
// `LD_PRELOAD=….build/release/libAllocationCounter.so cetnet bench …` lets `cetnet bench` count.

#include <stdbool.h>
#include <stdint.h>

/// Starts or stops counting calls of malloc, calloc, realloc, aligned_alloc, posix_memalign and memalign, on all
/// threads. Programs that link or preload this library have these functions replaced by ones that count and then do
/// what the C library does. Only with glibc and without sanitizers; elsewhere nothing is ever counted.
void cetnet_count_allocations(bool counting);

/// Calls counted since the program started.
int64_t cetnet_counted_allocations(void);

/// Calls `function` ("malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign") once and frees what it gave.
/// False if there is no such function or no memory.
bool cetnet_allocate_once(const char *function);
