import CETNetEngine
import Synchronization
import Testing

/// Every task once, in the order of the lists, whichever workers come.
@Suite struct ThreadTeamTests {
    @Test(arguments: 1...6) func everyTaskOnceAndInOrder(workers: Int) throws {
        let team = try ThreadTeam(workers: workers, sharesProcessors: false)
        let (lists, length) = (20, 7)
        let tasks = try ThreadTeam.Tasks(lists: lists, team: team)
        for round in 0..<50 {
            let log = Mutex<[Int]>([])
            tasks.reset()
            team.runAll { _ in
                for list in 0..<lists {
                    tasks.work(list: list, length: length) { task in log.withLock { $0.append(list * length + task) } }
                }
            }
            let done = log.withLock { $0 }
            #expect(done.sorted() == Array(0..<lists * length), "round \(round): each task once")
            #expect(done.map { $0 / length } == done.map { $0 / length }.sorted(), "round \(round): list after list")
        }
    }

    @Test(arguments: 1...6) func everyWorkerOnce(workers: Int) throws {
        let team = try ThreadTeam(workers: workers, sharesProcessors: false)
        for round in 0..<200 {
            let seen = Mutex<[Int]>([])
            team.runAll { worker in seen.withLock { $0.append(worker) } }
            #expect(seen.withLock { $0.sorted() } == Array(0..<team.workers), "round \(round)")
        }
    }

    /// A run without everyone leaves nothing behind for the next.
    @Test func runsThatWorkersMiss() throws {
        let team = try ThreadTeam(workers: 4, sharesProcessors: false)
        let tasks = try ThreadTeam.Tasks(lists: 1, team: team)
        final class Box: Sendable {
            let sum = Atomic<Int>(0)
        }
        for round in 0..<500 {
            let box = Box()
            var context = (tasks, box)
            tasks.reset()
            withUnsafeMutablePointer(to: &context) {
                team.run(context: $0) { raw, _ in
                    let (tasks, box) = raw!.assumingMemoryBound(to: (ThreadTeam.Tasks, Box).self).pointee
                    tasks.work(list: 0, length: 3) { box.sum.add($0 + 1, ordering: .relaxed) }
                }
            }
            #expect(box.sum.load(ordering: .relaxed) == 6, "round \(round)")
        }
    }
}
