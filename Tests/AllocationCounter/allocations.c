#include "include/AllocationCounter.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static atomic_bool is_counting;
static atomic_llong counted;

void cetnet_count_allocations(bool counting) { atomic_store(&is_counting, counting); }

int64_t cetnet_counted_allocations(void) { return atomic_load(&counted); }

bool cetnet_allocate_once(const char *function) {
    // Volatile, because compilers may leave out an allocation whose memory nobody uses.
    void *volatile memory = NULL;
    if (strcmp(function, "malloc") == 0) {
        memory = malloc(40);
    } else if (strcmp(function, "calloc") == 0) {
        memory = calloc(5, 8);
    } else if (strcmp(function, "realloc") == 0) {
        memory = realloc(NULL, 40);
    } else if (strcmp(function, "aligned_alloc") == 0) {
        memory = aligned_alloc(64, 128);
    } else if (strcmp(function, "posix_memalign") == 0) {
        void *aligned = NULL;
        if (posix_memalign(&aligned, 64, 128) == 0) memory = aligned;
    }
    const bool found = memory != NULL;
    free(memory);
    return found;
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif

#if defined(__GLIBC__) && !defined(HAS_SANITIZER)

// A program's own definitions take the place of the C library's, for all libraries that it loads. These hand over to
// the same allocator under its other names, so `free` needs no replacement.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static inline void count_call(void) {
    if (atomic_load_explicit(&is_counting, memory_order_relaxed)) {
        atomic_fetch_add_explicit(&counted, 1, memory_order_relaxed);
    }
}

void *malloc(size_t size) {
    count_call();
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    count_call();
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
    count_call();
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
    count_call();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count_call();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0) return EINVAL;
    count_call();
    void *aligned = __libc_memalign(alignment, size);
    if (!aligned) return ENOMEM;
    *memory = aligned;
    return 0;
}

#endif
