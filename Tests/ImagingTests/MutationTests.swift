import CETNetImaging
import CETNetPreprocessing
import Foundation
import TestSupport
import Testing

/// Damaged files: each is an error of the documented type or an image within the limits, never a crash or a hang.
///
/// CETNET_MUTATIONS in the environment sets how many mutations each file gets instead of 1,000.
@Suite("Mutated files", .timeLimit(.minutes(10)))
struct MutationTests {
    private static let mutations =
        ProcessInfo.processInfo.environment["CETNET_MUTATIONS"].flatMap { Int($0) } ?? 1000
    private static let maximumPixels = 4096

    @Test(
        "JPEG",
        arguments: [
            "420.jpg", "420-progressive.jpg", "cmyk.jpg", "ycck.jpg", "grey.jpg", "restart.jpg", "orientation6.jpg",
        ])
    func jpeg(_ name: String) throws {
        let original = try Fixtures.bytes(name)
        try run(name) { random in
            mutate(original, header: 0..<original.count / 2, using: &random)
        }
    }

    @Test(
        "PNG",
        arguments: [
            "rgb8.png", "rgb16-interlaced.png", "palette4-transparent.png", "palette8-interlaced.png",
            "greyalpha16.png", "grey1-interlaced.png", "rgb8-turned.png",
        ])
    func png(_ name: String) throws {
        let original = try Fixtures.bytes(name)
        try run(name) { random in
            let mutated = mutate(original, header: 8..<33, using: &random)
            // A wrong check sum ends most tries early; with a right one the change is looked at.
            return Bool.random(using: &random) ? PNGImage.withCheckSums(mutated) : mutated
        }
    }

    private func run(_ name: String, _ mutated: (inout SeededGenerator) -> [UInt8]) throws {
        let decoder = ImageDecoder(maximumPixels: Self.maximumPixels)
        var images = 0, errors = 0
        for seed in 0..<Self.mutations {
            var random = SeededGenerator(seed: UInt64(seed))
            let bytes = mutated(&random)
            do {
                let image = try bytes.withUnsafeBytes { try decoder.decode($0, source: name) }
                images += 1
                let isWithinLimits =
                    image.width > 0 && image.height > 0 && image.pixelCount <= Self.maximumPixels
                    && image.format == .rgb8 && image.bytes.count == 3 * image.pixelCount
                #expect(isWithinLimits, "seed \(seed): \(image.width)x\(image.height), \(image.bytes.count) bytes")
            } catch is ImageError {
                errors += 1
            } catch {
                Issue.record("seed \(seed): \(type(of: error)): \(error)")
            }
        }
        // Otherwise the mutations say nothing: too mild, or so strong that every file ends at its first bytes.
        #expect(images > 0 && errors > 0, "\(images) images, \(errors) errors")
    }

    /// One to three changes: a flipped bit or a new byte, often in the header; a field of two or four bytes set to an
    /// extreme; data cut off, cut out, inserted or repeated.
    private func mutate(_ original: [UInt8], header: Range<Int>, using random: inout SeededGenerator) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            guard bytes.count > 8 else { break }
            let inHeader = Bool.random(using: &random)
            let position =
                inHeader
                ? min(Int.random(in: header, using: &random), bytes.count - 1)
                : Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<8, using: &random) {
            case 0, 1:
                bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2:
                bytes[position] = .random(in: 0...255, using: &random)
            case 3:
                let length = min([2, 4].randomElement(using: &random)!, bytes.count - position)
                let value: UInt8 = [0x00, 0x01, 0x7F, 0x80, 0xFF].randomElement(using: &random)!
                for i in 0..<length { bytes[position + i] = i == 0 || Bool.random(using: &random) ? value : 0 }
            case 4:
                bytes.removeLast(Int.random(in: 1..<bytes.count, using: &random))
            case 5:
                let end = min(position + Int.random(in: 1...40, using: &random), bytes.count)
                bytes.removeSubrange(position..<end)
            case 6:
                let inserted = (0..<Int.random(in: 1...40, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                bytes.insert(contentsOf: inserted, at: position)
            default:
                let end = min(position + Int.random(in: 1...400, using: &random), bytes.count)
                bytes.insert(contentsOf: Array(bytes[position..<end]), at: position)
            }
        }
        return bytes
    }
}
