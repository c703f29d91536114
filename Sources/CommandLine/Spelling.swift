/// Guesses what a mistyped name was meant to be.
enum Spelling {
    /// The candidate with the smallest edit distance, if that is small enough to be a slip: at most a third of the
    /// name's letters.
    static func nearest(to name: String, among candidates: [String]) -> String? {
        let lowercased = name.lowercased()
        let distances = candidates.map { (name: $0, distance: distance(lowercased, $0.lowercased())) }
        guard let best = distances.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance <= max(1, name.count / 3) ? best.name : nil
    }

    /// Levenshtein's distance: insertions, deletions and substitutions of a character each count one.
    static func distance(_ a: String, _ b: String) -> Int {
        let (a, b) = (Array(a), Array(b))
        var previous = Array(0...b.count)
        for i in a.indices {
            var current = [i + 1]
            for j in b.indices {
                let substitution = previous[j] + (a[i] == b[j] ? 0 : 1)
                current.append(min(previous[j + 1] + 1, current[j] + 1, substitution))
            }
            previous = current
        }
        return previous[b.count]
    }
}
