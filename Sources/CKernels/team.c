#define _GNU_SOURCE
#include "include/team.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    CACHE_LINE = 64,
    /// How long a waiting worker spins before it sleeps: steps of a network are some ten to some hundred microseconds
    /// apart, and waking a sleeper costs about as much.
    SPIN_NANOSECONDS = 200 * 1000,
    /// Bit of `members`: workers may join the run. The bits below count those that have joined and not left.
    OPEN = 1 << 30,
};

typedef struct worker {
    cetnet_team *team;
    int32_t index;
    pthread_t thread;
    /// The last run that it joined.
    unsigned joined;
} worker;

struct cetnet_team {
    /// Changes after a run has been opened: the call to come.
    _Alignas(CACHE_LINE) atomic_uint call;
    _Alignas(CACHE_LINE) atomic_int members;
    /// How many workers have joined the run.
    atomic_int joined;
    _Alignas(CACHE_LINE) atomic_int sleepers;
    // Written while no run is open, read by those who have joined it.
    unsigned run;
    /// How many workers beside the caller may take part.
    int32_t helpers;
    int32_t shares;
    void (*body)(void *context, int32_t worker);
    void *context;
    atomic_int stopping;
    int32_t workers;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    worker *others;
};

struct cetnet_tasks {
    _Alignas(CACHE_LINE) atomic_llong next;
    atomic_llong done;
};

// Processors

/// Threads of all teams of the process that compute now, or are expected to.
static atomic_int computing;

/// Takes processors for as many of `wanted` helpers as the process has to spare beside the caller, and one for the
/// caller itself, who computes in any case. What is returned is given back by `leave_processors`.
static int32_t take_processors(int32_t wanted) {
    static atomic_int processors;
    int available = atomic_load_explicit(&processors, memory_order_relaxed);
    if (available == 0) atomic_store(&processors, available = cetnet_available_processors());
    int now = atomic_load(&computing), helpers;
    do {
        const int spare = available - now - 1;
        helpers = spare < 0 ? 0 : spare < wanted ? spare : wanted;
    } while (!atomic_compare_exchange_weak(&computing, &now, now + 1 + helpers));
    return helpers;
}

static void leave_processors(int32_t helpers) { atomic_fetch_sub(&computing, 1 + helpers); }

// Waiting

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

/// Waits until `is_true(subject, value)`. Whoever makes that true calls `announce` afterwards.
static void wait_until(cetnet_team *team, int (*is_true)(void *, int64_t), void *subject, int64_t value) {
    const int64_t start = nanoseconds();
    do {
        for (int i = 0; i < 32; i++) {
            if (is_true(subject, value)) return;
            relax();
        }
    } while (nanoseconds() - start < SPIN_NANOSECONDS);
    pthread_mutex_lock(&team->mutex);
    // Counted before the last look; `announce` looks for sleepers after the change.
    atomic_fetch_add(&team->sleepers, 1);
    while (!is_true(subject, value)) pthread_cond_wait(&team->changed, &team->mutex);
    atomic_fetch_sub(&team->sleepers, 1);
    pthread_mutex_unlock(&team->mutex);
}

static void announce(cetnet_team *team) {
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load(&team->sleepers) > 0) {
        pthread_mutex_lock(&team->mutex);
        pthread_cond_broadcast(&team->changed);
        pthread_mutex_unlock(&team->mutex);
    }
}

static int called(void *team, int64_t seen) { return atomic_load(&((cetnet_team *)team)->call) != (unsigned)seen; }
static int all_left(void *team, int64_t unused) {
    (void)unused;
    return atomic_load(&((cetnet_team *)team)->members) == 0;
}
static int all_joined(void *team, int64_t count) { return atomic_load(&((cetnet_team *)team)->joined) >= count; }
static int all_done(void *tasks, int64_t length) { return atomic_load(&((cetnet_tasks *)tasks)->done) >= length; }

// Runs

/// Joins the open run, unless there is none, it has all its helpers or has been joined already.
static int join(cetnet_team *team, worker *member) {
    int members = atomic_load(&team->members);
    do {
        if (!(members & OPEN)) return 0;
    } while (!atomic_compare_exchange_weak(&team->members, &members, members + 1));
    // A call may come twice to one run: when it was answered late, at the opening of the next.
    if (member->joined == team->run || atomic_fetch_add(&team->joined, 1) >= team->helpers) {
        atomic_fetch_sub(&team->members, 1);
        announce(team);
        return 0;
    }
    member->joined = team->run;
    announce(team);
    return 1;
}

/// For `ps -L`, debuggers and profilers.
static void name_thread(int32_t index) {
    char name[16];
    snprintf(name, sizeof name, "cetnet-%d", index);
#if defined(__APPLE__)
    pthread_setname_np(name);
#else
    pthread_setname_np(pthread_self(), name);
#endif
}

static void *work(void *argument) {
    worker *member = argument;
    cetnet_team *team = member->team;
    unsigned seen = 0;
    name_thread(member->index);
    cetnet_set_float_mode(CETNET_FLOAT_MODE);
    for (;;) {
        wait_until(team, called, team, seen);
        seen = atomic_load(&team->call);
        if (atomic_load(&team->stopping)) return 0;
        if (join(team, member)) {
            team->body(team->context, member->index);
            atomic_fetch_sub(&team->members, 1);
            announce(team);
        }
    }
}

/// A run with some of the workers. With `everyone` it waits until all have come.
static void run(cetnet_team *team, void (*body)(void *, int32_t), void *context, int32_t helpers, int everyone) {
    const uint64_t mode = cetnet_float_mode();
    cetnet_set_float_mode(CETNET_FLOAT_MODE);
    if (helpers == 0) {
        body(context, 0);
    } else {
        team->body = body;
        team->context = context;
        team->helpers = helpers;
        team->run++;
        atomic_store(&team->joined, 0);
        atomic_store(&team->members, OPEN);
        atomic_fetch_add(&team->call, 1);
        announce(team);
        body(context, 0);
        if (everyone) wait_until(team, all_joined, team, helpers);
        atomic_fetch_and(&team->members, ~OPEN);
        wait_until(team, all_left, team, 0);
    }
    cetnet_set_float_mode(mode);
}

void cetnet_team_run(cetnet_team *team, void (*body)(void *context, int32_t worker), void *context) {
    const int32_t all = team->workers - 1;
    const int32_t helpers = team->shares ? take_processors(all) : all;
    run(team, body, context, helpers, 0);
    if (team->shares) leave_processors(helpers);
}

void cetnet_team_run_all(cetnet_team *team, void (*body)(void *context, int32_t worker), void *context) {
    run(team, body, context, team->workers - 1, 1);
}

cetnet_team *cetnet_team_create(int32_t workers, int32_t shares) {
    cetnet_team *team = aligned_alloc(CACHE_LINE, sizeof(cetnet_team));
    if (!team) return 0;
    *team = (cetnet_team){.workers = 1, .shares = shares};
    if (workers <= 1) return team;
    team->others = calloc((size_t)workers, sizeof(worker));
    if (!team->others) {
        free(team);
        return 0;
    }
    pthread_mutex_init(&team->mutex, 0);
    pthread_cond_init(&team->changed, 0);
    while (team->workers < workers) {
        worker *member = &team->others[team->workers];
        *member = (worker){.team = team, .index = team->workers};
        if (pthread_create(&member->thread, 0, work, member)) break;
        team->workers++;
    }
    return team;
}

void cetnet_team_destroy(cetnet_team *team) {
    if (!team) return;
    if (team->others) {
        atomic_store(&team->stopping, 1);
        atomic_fetch_add(&team->call, 1);
        announce(team);
        for (int32_t i = 1; i < team->workers; i++) pthread_join(team->others[i].thread, 0);
        pthread_cond_destroy(&team->changed);
        pthread_mutex_destroy(&team->mutex);
        free(team->others);
    }
    free(team);
}

int32_t cetnet_team_workers(const cetnet_team *team) { return team->workers; }

// Tasks

cetnet_tasks *cetnet_tasks_create(int64_t count) {
    cetnet_tasks *tasks = aligned_alloc(CACHE_LINE, (size_t)(count > 0 ? count : 1) * sizeof(cetnet_tasks));
    if (tasks) cetnet_tasks_reset(tasks, count);
    return tasks;
}

void cetnet_tasks_destroy(cetnet_tasks *tasks) { free(tasks); }

void cetnet_tasks_reset(cetnet_tasks *tasks, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        atomic_store_explicit(&tasks[i].next, 0, memory_order_relaxed);
        atomic_store_explicit(&tasks[i].done, 0, memory_order_relaxed);
    }
}

int64_t cetnet_tasks_next(cetnet_tasks *tasks, int64_t list) {
    return atomic_fetch_add_explicit(&tasks[list].next, 1, memory_order_relaxed);
}

void cetnet_tasks_done(cetnet_tasks *tasks, int64_t list, int64_t length, cetnet_team *team) {
    if (atomic_fetch_add(&tasks[list].done, 1) + 1 == length) announce(team);
}

void cetnet_tasks_wait(cetnet_tasks *tasks, int64_t list, int64_t length, cetnet_team *team) {
    if (!all_done(&tasks[list], length)) wait_until(team, all_done, &tasks[list], length);
}
