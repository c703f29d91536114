import Foundation
import FuzzTargets

/// Very many damaged files through the API in one process: each gives a result or a documented error, and the memory
/// stays within twice the file and what its decoded form may take.
struct Mutations {
    private let target: FuzzTarget
    private let count: Int
    private let seeds: [[UInt8]]

    /// What a decoded file of a target may take beside twice its size: an image's pixels, decoded, upright, and the
    /// coefficients of a progressive JPEG; else what Swift and the allocator keep. MiB.
    private static let decodedMiB = Double(FuzzTarget.maximumPixels * 14) / 1_048_576 + 32

    init(target name: String, count: Int, corpus: String) {
        guard let target = FuzzTarget(rawValue: name) else { Trust.fail("there is no target '\(name)'") }
        (self.target, self.count) = (target, count)
        let folder = URL(fileURLWithPath: corpus)
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: corpus)) ?? []).sorted()
        seeds = names.compactMap { (try? Data(contentsOf: folder.appendingPathComponent($0))).map(Array.init) }
        guard !seeds.isEmpty else { Trust.fail("\(corpus): no files") }
    }

    func run() -> Bool {
        // What is loaded once belongs to no file.
        for seed in seeds { _ = seed.withUnsafeBytes { target.take($0) } }
        let before = Usage.now()
        Usage.forgetPeak()
        var (taken, refused, broken) = (0, 0, 0)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<count {
            let bytes = mutated(seeds.randomElement(using: &random)!, using: &random)
            switch bytes.withUnsafeBytes({ target.take($0) }) {
            case .taken: taken += 1
            case .refused: refused += 1
            case .broken(let what):
                broken += 1
                if broken <= 5 { save(bytes, what) }
            }
        }
        let grown = Usage.now().peakMiB - before.residentMiB
        let allowed = 2 * Double(seeds.map(\.count).max()!) / 1_048_576 + Self.decodedMiB
        print(
            "\(target.rawValue): \(count) files, \(taken) taken, \(refused) refused, \(broken) broken promises; "
                + "\(String(format: "%.1f", grown)) MiB more, allowed are \(String(format: "%.1f", allowed))")
        return broken == 0 && grown <= allowed
    }

    private func save(_ bytes: [UInt8], _ what: String) {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("broken-\(target)-\(UUID().uuidString)")
        try? Data(bytes).write(to: url)
        print("\(url.path): \(what)")
    }

    /// One to four changes: a flipped bit, a new byte, an extreme field, a number, or a piece cut off, cut out, put in
    /// from another place or repeated.
    private func mutated(_ original: [UInt8], using random: inout some RandomNumberGenerator) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            guard bytes.count > 8 else { break }
            let place = Int.random(in: 0..<bytes.count, using: &random)
            let end = min(place + Int.random(in: 1...64, using: &random), bytes.count)
            switch Int.random(in: 0..<8, using: &random) {
            case 0, 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: bytes[place] = .random(in: 0...255, using: &random)
            case 3:
                let value: UInt8 = [0x00, 0x01, 0x7F, 0x80, 0xFF].randomElement(using: &random)!
                for index in place..<min(place + [1, 2, 4, 8].randomElement(using: &random)!, bytes.count) {
                    bytes[index] = value
                }
            case 4: bytes.removeLast(bytes.count - place)
            case 5: bytes.removeSubrange(place..<end)
            case 6:
                let other = seeds.randomElement(using: &random)!
                guard other.count > 1 else { continue }
                let from = Int.random(in: 0..<other.count, using: &random)
                bytes.insert(
                    contentsOf: other[from..<min(from + Int.random(in: 1...64, using: &random), other.count)], at: place
                )
            default: bytes.insert(contentsOf: Array(bytes[place..<end]), at: place)
            }
        }
        return bytes
    }
}
