import CETNet
import Foundation
import TestSupport

/// The tiny model's configuration.
func tinyConfiguration() throws -> ModelConfiguration {
    try ModelConfiguration(json: Data(TinyModel.configurationJSON.utf8), source: "the tiny model")
}

/// The tiny model with random weights.
func tinyModel(threads: Int? = 1, concurrency: Int? = 1, seed: UInt64 = 1) throws -> Model {
    try Model(
        configuration: tinyConfiguration(), randomSeed: seed,
        options: Model.Options(threads: threads, concurrency: concurrency))
}

/// (batch, 3, height, width); image i depends on `seed + i` alone, wherever in a batch it is.
func images(_ batch: Int, _ height: Int = 64, _ width: Int = 64, seed: Int = 0) throws -> Tensor {
    try Tensor(
        shape: [batch, 3, height, width],
        values: (0..<batch).flatMap { TinyModel.pixels(3 * height * width, seed: seed + $0) })
}

/// The bits of a tensor's numbers, which unlike the numbers are equal for equal NaNs and differ for 0 and −0.
func bits(_ values: some Sequence<Float>) -> [UInt32] { values.map(\.bitPattern) }

/// A picture in memory with a pattern that depends on `seed`.
func picture(width: Int, height: Int, seed: Int) throws -> PixelBuffer {
    var bytes: [UInt8] = []
    for row in 0..<height {
        for column in 0..<width {
            bytes.append(UInt8(truncatingIfNeeded: row &* (seed &+ 3)))
            bytes.append(UInt8(truncatingIfNeeded: column &* (2 &* seed &+ 5)))
            bytes.append(UInt8(truncatingIfNeeded: (row ^ column) &* 7 &+ 31 &* seed))
        }
    }
    return try PixelBuffer(width: width, height: height, format: .rgb8, bytesPerRow: 3 * width, bytes: bytes)
}
