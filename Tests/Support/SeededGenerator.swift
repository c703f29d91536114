/// Random numbers that are the same for the same seed, on every run and machine: SplitMix64.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: some BinaryInteger) { state = UInt64(truncatingIfNeeded: seed) }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A number in −1..<1.
    public mutating func float() -> Float { Float(Int32(truncatingIfNeeded: next() >> 40) - 1 << 23) * 0x1p-23 }

    /// Numbers in −scale..<scale, signed so that sums cancel.
    public mutating func values(_ count: Int, scale: Float = 1) -> [Float] { (0..<count).map { _ in float() * scale } }
}
