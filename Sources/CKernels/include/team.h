#pragma once
// A team of threads that work through lists of tasks together.
//
// Nobody waits for a *thread*, only for *tasks*: a worker that the system wakes late, or that lost its processor to
// another program, is not missed as long as it holds no task; when it comes it finds its place. Waiting spins for some
// microseconds, which is what the gaps between steps of a network last, and then sleeps in the kernel.

//
// The teams of a process share its processors: a run begins with as many helpers as there are processors that no other
// run has, down to none. What it computes does not depend on that.

#include <stdint.h>

typedef struct cetnet_team cetnet_team;

/// Starts `workers` − 1 threads; fewer if the system gives no more. NULL if there is no memory.
/// With `shares` 0 the team's runs take all workers, whoever else computes.
cetnet_team *cetnet_team_create(int32_t workers, int32_t shares);

/// Ends the threads. No run may be under way.
void cetnet_team_destroy(cetnet_team *team);

/// Number of workers, the caller of cetnet_team_run included.
int32_t cetnet_team_workers(const cetnet_team *team);

/// Runs `body(context, 0)` on the calling thread and `body(context, worker)` on other workers that come before that has
/// returned, as many as there are processors for. Returns when all bodies that were begun have returned. One run at a
/// time. Bodies run in CETNET_FLOAT_MODE, the caller's too; its own mode is there again afterwards.
void cetnet_team_run(cetnet_team *team, void (*body)(void *context, int32_t worker), void *context);

/// Like cetnet_team_run, but every worker runs the body exactly once, whoever else computes.
void cetnet_team_run_all(cetnet_team *team, void (*body)(void *context, int32_t worker), void *context);

/// Hands out the numbers of a list of tasks and counts those that are done.
typedef struct cetnet_tasks cetnet_tasks;

/// `count` lists; NULL if there is no memory.
cetnet_tasks *cetnet_tasks_create(int64_t count);
void cetnet_tasks_destroy(cetnet_tasks *tasks);

/// Starts lists 0 to `count` − 1 again, while nobody uses them.
void cetnet_tasks_reset(cetnet_tasks *tasks, int64_t count);

/// The next task of a list, from 0; as large as the list's length or larger when there is none left.
int64_t cetnet_tasks_next(cetnet_tasks *tasks, int64_t list);

/// Says that one of the `length` tasks of a list is done. What it wrote is seen by whoever waits for the list.
void cetnet_tasks_done(cetnet_tasks *tasks, int64_t list, int64_t length, cetnet_team *team);

/// Waits, inside a body, until all `length` tasks of a list are done.
void cetnet_tasks_wait(cetnet_tasks *tasks, int64_t list, int64_t length, cetnet_team *team);

/// How the calling thread computes with floating point numbers: MXCSR or FPCR. 0 where it is not known.
uint64_t cetnet_float_mode(void);
void cetnet_set_float_mode(uint64_t mode);

/// Round to nearest, no exception traps, and numbers too small for full precision are zero, as operands and as results:
/// on some processors each of them costs a hundred times the time of others.
#if defined(__aarch64__)
#define CETNET_FLOAT_MODE (1u << 24)  // FZ
#else
#define CETNET_FLOAT_MODE 0x9FC0u  // all exceptions masked, FTZ, DAZ
#endif

/// Processors that this process may use: the affinity mask, cut by the cgroup's CPU quota (rounded up). At least 1.
int32_t cetnet_available_processors(void);

/// Keeps the calling thread, and the threads that it starts from now on, on these processors.
/// @return 0, or an errno value: EINVAL if it may use none of them, ENOTSUP where the system cannot be told.
int32_t cetnet_pin_to_processors(const int32_t *processors, int32_t count);
