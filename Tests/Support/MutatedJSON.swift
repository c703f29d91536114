/// A JSON text with one or two small damages, the same for the same seed: bytes, punctuation and digits changed, put in
/// or taken out.
public func mutatedJSON(_ text: [UInt8], seed: Int) -> [UInt8] {
    let fragments = ["\"", "{", "}", "[", "]", ",", ":", "0", "9", "-", "e9", ".", "null", "99999999999", "\\u"]
    var generator = SeededGenerator(seed: seed)
    var bytes = text
    for _ in 0..<Int.random(in: 1...2, using: &generator) {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes.insert(contentsOf: fragments.randomElement(using: &generator)!.utf8, at: place)
        case 2: bytes.removeSubrange(place..<min(place + Int.random(in: 1...9, using: &generator), bytes.count))
        default:
            let digits = bytes.indices.filter { bytes[$0] >= 0x30 && bytes[$0] <= 0x39 }
            guard let digit = digits.randomElement(using: &generator) else { break }
            bytes[digit] = UInt8.random(in: 0x30...0x39, using: &generator)
        }
    }
    return bytes
}
