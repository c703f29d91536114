#define _GNU_SOURCE
#include "include/team.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(__linux__)
#include <sched.h>

/// Processors granted by a cgroup v2 folder's cpu.max ("quota period", in microseconds), or 0 if it sets no limit.
static double quota_of(const char *folder) {
    char path[4400];
    snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", folder);
    FILE *file = fopen(path, "re");
    if (!file) return 0;
    double quota = 0, period = 0;
    const int read = fscanf(file, "%lf %lf", &quota, &period);
    fclose(file);
    return read == 2 && period > 0 ? quota / period : 0;
}

/// The tightest quota of this process's cgroup and the groups around it, or 0.
static double cgroup_quota(void) {
    FILE *file = fopen("/proc/self/cgroup", "re");
    if (!file) return 0;
    char line[4200], folder[4200] = "";
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, "0::", 3) == 0) {
            strcpy(folder, line + 3);
            folder[strcspn(folder, "\n")] = 0;
        }
    }
    fclose(file);
    double tightest = 0;
    for (;;) {
        if (strcmp(folder, "/") == 0) folder[0] = 0;
        const double quota = quota_of(folder);
        if (quota > 0 && (tightest == 0 || quota < tightest)) tightest = quota;
        char *slash = strrchr(folder, '/');
        if (!slash) return tightest;
        *slash = 0;
    }
}
#endif

int32_t cetnet_available_processors(void) {
    long count = sysconf(_SC_NPROCESSORS_ONLN);
#if defined(__linux__)
    cpu_set_t mask;
    if (sched_getaffinity(0, sizeof mask, &mask) == 0) count = CPU_COUNT(&mask);
    const double quota = cgroup_quota();
    if (quota > 0 && quota < (double)count) {
        count = (long)quota;
        if ((double)count < quota) count++;
    }
#endif
    return count < 1 ? 1 : (int32_t)count;
}

int32_t cetnet_pin_to_processors(const int32_t *processors, int32_t count) {
#if defined(__linux__)
    cpu_set_t mask;
    CPU_ZERO(&mask);
    for (int32_t index = 0; index < count; index++) {
        if (processors[index] < 0 || processors[index] >= CPU_SETSIZE) return EINVAL;
        CPU_SET((size_t)processors[index], &mask);
    }
    return sched_setaffinity(0, sizeof mask, &mask) == 0 ? 0 : errno;
#else
    return ENOTSUP;
#endif
}

uint64_t cetnet_float_mode(void) {
#if defined(__x86_64__)
    return __builtin_ia32_stmxcsr();
#elif defined(__aarch64__)
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
#else
    return 0;
#endif
}

void cetnet_set_float_mode(uint64_t mode) {
#if defined(__x86_64__)
    __builtin_ia32_ldmxcsr((uint32_t)mode);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(mode));
#else
    (void)mode;
#endif
}
