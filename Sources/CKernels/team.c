#include "include/team.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum {
    CACHE_LINE = 64,
    /// How long a waiting worker spins before it sleeps: steps of a network are some ten to some hundred microseconds
    /// apart, and waking a sleeper costs about as much.
    SPIN_NANOSECONDS = 200 * 1000,
};

typedef struct counter {
    _Alignas(CACHE_LINE) atomic_llong value;
} counter;

struct cetnet_team {
    _Alignas(CACHE_LINE) atomic_uint run;       // changes when a run starts
    _Alignas(CACHE_LINE) atomic_uint barrier;   // changes when the last worker arrives
    _Alignas(CACHE_LINE) atomic_int arrived;
    atomic_int sleepers;
    counter counters[2];
    void (*body)(void *context, int32_t worker);
    void *context;
    atomic_int stopping;
    int32_t workers;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct worker *members;
};

typedef struct worker {
    cetnet_team *team;
    int32_t index;
    pthread_t thread;
} worker;

static void relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static int64_t nanoseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void wait_for_change(cetnet_team *team, atomic_uint *word, unsigned old) {
    const int64_t start = nanoseconds();
    do {
        for (int i = 0; i < 32; i++) {
            if (atomic_load_explicit(word, memory_order_acquire) != old) return;
            relax();
        }
    } while (nanoseconds() - start < SPIN_NANOSECONDS);
    pthread_mutex_lock(&team->mutex);
    // Announced before the last look at the word; announce_change looks for sleepers after changing it.
    atomic_fetch_add(&team->sleepers, 1);
    while (atomic_load(word) == old) pthread_cond_wait(&team->changed, &team->mutex);
    atomic_fetch_sub(&team->sleepers, 1);
    pthread_mutex_unlock(&team->mutex);
}

static void announce_change(cetnet_team *team, atomic_uint *word) {
    atomic_fetch_add(word, 1);
    if (atomic_load(&team->sleepers) > 0) {
        pthread_mutex_lock(&team->mutex);
        pthread_cond_broadcast(&team->changed);
        pthread_mutex_unlock(&team->mutex);
    }
}

static void *work(void *argument) {
    worker *member = argument;
    cetnet_team *team = member->team;
    unsigned seen = 0;
    for (;;) {
        wait_for_change(team, &team->run, seen);
        seen++;
        if (atomic_load(&team->stopping)) return 0;
        team->body(team->context, member->index);
        cetnet_team_barrier(team);
    }
}

cetnet_team *cetnet_team_create(int32_t workers) {
    if (workers < 1) workers = 1;
    cetnet_team *team = aligned_alloc(CACHE_LINE, sizeof(cetnet_team));
    if (!team) return 0;
    *team = (cetnet_team){.workers = 1};
    if (workers == 1) return team;
    team->members = calloc((size_t)workers, sizeof(worker));
    if (!team->members) {
        free(team);
        return 0;
    }
    pthread_mutex_init(&team->mutex, 0);
    pthread_cond_init(&team->changed, 0);
    while (team->workers < workers) {
        worker *member = &team->members[team->workers];
        *member = (worker){.team = team, .index = team->workers};
        if (pthread_create(&member->thread, 0, work, member)) break;
        team->workers++;
    }
    return team;
}

void cetnet_team_destroy(cetnet_team *team) {
    if (!team) return;
    if (team->members) {
        atomic_store(&team->stopping, 1);
        announce_change(team, &team->run);
        for (int32_t i = 1; i < team->workers; i++) pthread_join(team->members[i].thread, 0);
        pthread_cond_destroy(&team->changed);
        pthread_mutex_destroy(&team->mutex);
        free(team->members);
    }
    free(team);
}

int32_t cetnet_team_workers(const cetnet_team *team) { return team->workers; }

void cetnet_team_run(cetnet_team *team, void (*body)(void *context, int32_t worker), void *context) {
    team->body = body;
    team->context = context;
    if (team->workers > 1) announce_change(team, &team->run);
    body(context, 0);
    cetnet_team_barrier(team);
}

void cetnet_team_barrier(cetnet_team *team) {
    if (team->workers == 1) return;
    const unsigned seen = atomic_load_explicit(&team->barrier, memory_order_relaxed);
    if (atomic_fetch_add(&team->arrived, 1) == team->workers - 1) {
        atomic_store(&team->arrived, 0);
        announce_change(team, &team->barrier);
    } else {
        wait_for_change(team, &team->barrier, seen);
    }
}

int64_t cetnet_team_next(cetnet_team *team, int32_t counter) {
    return atomic_fetch_add_explicit(&team->counters[counter].value, 1, memory_order_relaxed);
}

void cetnet_team_reset_counter(cetnet_team *team, int32_t counter) {
    atomic_store_explicit(&team->counters[counter].value, 0, memory_order_relaxed);
}
