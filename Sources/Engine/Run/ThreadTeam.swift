import CKernels

/// A team of threads that run the same function together and meet at barriers; see `team.h`.
final class ThreadTeam: @unchecked Sendable {
    // The C team is thread-safe inside a run; runs are the owner's, one at a time.
    private let team: OpaquePointer

    /// Starts `workers` − 1 threads; the caller of ``run(_:)`` is the first worker.
    init(workers: Int) {
        guard let team = cetnet_team_create(Int32(workers)) else { fatalError("out of memory for a thread team") }
        self.team = team
    }

    deinit { cetnet_team_destroy(team) }

    /// Threads that really run, the caller included.
    var workers: Int { Int(cetnet_team_workers(team)) }

    /// Runs `body(context, worker)` on every worker with its number, and returns when all are done. Allocates nothing.
    func run(
        context: UnsafeMutableRawPointer, body: @convention(c) (_ context: UnsafeMutableRawPointer?, Int32) -> Void
    ) {
        cetnet_team_run(team, body, context)
    }

    /// Runs `body` on every worker with its number, and returns when all are done. Allocates the closure's context.
    func run(_ body: (Int) -> Void) {
        withoutActuallyEscaping(body) { body in
            var context = Body(run: body)
            withUnsafeMutablePointer(to: &context) { context in
                cetnet_team_run(
                    team,
                    { context, worker in
                        context!.assumingMemoryBound(to: Body.self).pointee.run(Int(worker))
                    }, context)
            }
        }
    }

    /// Waits, inside a run, for all workers.
    func barrier() { cetnet_team_barrier(team) }

    /// The next number of shared counter 0 or 1, from 0.
    func next(counter: Int) -> Int { Int(cetnet_team_next(team, Int32(counter))) }

    /// Starts a counter again, while no other worker uses it.
    func reset(counter: Int) { cetnet_team_reset_counter(team, Int32(counter)) }

    private struct Body {
        let run: (Int) -> Void
    }
}

/// The processors of this machine, as far as this process may use them.
public enum Processor {
    /// How many processors this process may use at once: the affinity mask, cut by the control group's quota.
    public static let availableCount = Int(cetnet_available_processors())
}
