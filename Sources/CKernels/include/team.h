#pragma once
// A team of threads that run the same function together and meet at barriers.
//
// The caller of cetnet_team_run is worker 0; the others sleep between runs. Waiting spins for some microseconds, which
// is what the gaps between steps of a network last, and then sleeps in the kernel.

#include <stdint.h>

typedef struct cetnet_team cetnet_team;

/// Starts `workers` − 1 threads; fewer if the system gives no more. NULL if there is no memory.
cetnet_team *cetnet_team_create(int32_t workers);

/// Ends the threads. No run may be under way.
void cetnet_team_destroy(cetnet_team *team);

/// Number of workers, the caller included.
int32_t cetnet_team_workers(const cetnet_team *team);

/// Runs `body(context, worker)` on every worker, 0 to workers − 1, and returns when all have. One run at a time.
void cetnet_team_run(cetnet_team *team, void (*body)(void *context, int32_t worker), void *context);

/// Waits, inside a body, until all workers have called it.
void cetnet_team_barrier(cetnet_team *team);

/// The next number of a counter that the workers share, starting at 0; `counter` is one of the team's 2 counters.
/// Counters are reset by cetnet_team_reset_counter, which one worker calls while no other uses that counter.
int64_t cetnet_team_next(cetnet_team *team, int32_t counter);
void cetnet_team_reset_counter(cetnet_team *team, int32_t counter);

/// Processors that this process may use: the affinity mask, cut by the cgroup's CPU quota (rounded up). At least 1.
int32_t cetnet_available_processors(void);
