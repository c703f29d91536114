import Foundation
import FuzzTargets
import Testing

/// Files that fuzzing began with, that it found worth keeping, and that once broke something.
@Suite struct CorporaTests {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Trust/Corpora")

    /// Each file is taken or refused as documented, and of each kind there are some of both.
    @Test(arguments: FuzzTarget.allCases) func everyFile(_ target: FuzzTarget) throws {
        let folder = Self.folder.appendingPathComponent(target.rawValue)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        var outcomes: [FuzzTarget.Outcome] = []
        for name in names {
            let bytes = Array(try Data(contentsOf: folder.appendingPathComponent(name)))
            let outcome = bytes.withUnsafeBytes { target.take($0) }
            if case .broken(let what) = outcome { Issue.record("\(target.rawValue)/\(name): \(what)") }
            outcomes.append(outcome)
        }
        #expect(outcomes.contains(.taken), "\(names)")
        #expect(target == .csv || outcomes.contains(.refused), "\(names)")
    }
}
