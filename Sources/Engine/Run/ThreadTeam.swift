import CETNetMemory
import CKernels

/// A team of threads that work through lists of tasks together; see `team.h`.
package final class ThreadTeam: @unchecked Sendable {
    // The C team is thread-safe inside a run; runs are the owner's, one at a time.
    private let team: OpaquePointer

    /// Starts `workers` − 1 threads, fewer if the system gives no more; the caller of ``run(context:body:)`` is the first
    /// worker.
    /// - Parameter sharesProcessors: whether a run leaves workers out where others of the process have the processors.
    package init(workers: Int, sharesProcessors: Bool = true) throws(OutOfMemoryError) {
        guard let team = cetnet_team_create(Int32(workers), sharesProcessors ? 1 : 0) else {
            throw OutOfMemoryError(bytes: workers * CacheLine.bytes)
        }
        self.team = team
    }

    deinit { cetnet_team_destroy(team) }

    /// Threads that may take part, the caller included.
    package var workers: Int { Int(cetnet_team_workers(team)) }

    /// Runs `body(context, worker)` on the caller and on workers that come before the caller is done, as many as there
    /// are processors for; returns when all are done. Allocates nothing.
    package func run(
        context: UnsafeMutableRawPointer, body: @convention(c) (_ context: UnsafeMutableRawPointer?, Int32) -> Void
    ) {
        cetnet_team_run(team, body, context)
    }

    /// Runs `body` with each worker's number, on every worker exactly once, and returns when all are done.
    package func runAll(_ body: (Int) -> Void) {
        withoutActuallyEscaping(body) { body in
            var context = Body(run: body)
            withUnsafeMutablePointer(to: &context) { context in
                cetnet_team_run_all(
                    team,
                    { context, worker in
                        context!.assumingMemoryBound(to: Body.self).pointee.run(Int(worker))
                    }, context)
            }
        }
    }

    private struct Body {
        let run: (Int) -> Void
    }

    /// Lists of tasks that the workers of a team share.
    package final class Tasks {
        private let tasks: OpaquePointer
        private let team: ThreadTeam
        private let lists: Int

        package init(lists: Int, team: ThreadTeam) throws(OutOfMemoryError) {
            guard let tasks = cetnet_tasks_create(Int64(lists)) else {
                throw OutOfMemoryError(bytes: lists * CacheLine.bytes)
            }
            self.tasks = tasks
            self.team = team
            self.lists = lists
        }

        deinit { cetnet_tasks_destroy(tasks) }

        /// Starts all lists again, while nobody uses them.
        package func reset() { cetnet_tasks_reset(tasks, Int64(lists)) }

        /// Does tasks of a list, of `length` tasks, as long as there are any; then waits for those of the others.
        package func work(list: Int, length: Int, _ body: (Int) -> Void) {
            while true {
                let task = Int(cetnet_tasks_next(tasks, Int64(list)))
                guard task < length else { break }
                body(task)
                cetnet_tasks_done(tasks, Int64(list), Int64(length), team.team)
            }
            cetnet_tasks_wait(tasks, Int64(list), Int64(length), team.team)
        }
    }
}

/// The processors of this machine, as far as this process may use them.
public enum Processor {
    /// How many processors this process may use at once: the affinity mask, cut by the control group's quota.
    public static let availableCount = Int(cetnet_available_processors())
}
