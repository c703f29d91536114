/// Guesses what a mistyped name was meant to be.
package enum Spelling {
    /// The candidate that differs from `name` in the fewest letters, whatever their case, if these are few enough for a
    /// slip: at most a third of the letters of the longer of both, and one in any case. The first of equally near ones;
    /// `nil` for names of more than 64 letters, which are no slips and would take long.
    package static func nearest(to name: String, among candidates: [String]) -> String? {
        guard name.unicodeScalars.count <= 64 else { return nil }
        let letters = Array(name.lowercased().unicodeScalars)
        let distances = candidates.map {
            (name: $0, distance: distance(letters, Array($0.lowercased().unicodeScalars)))
        }
        guard let best = distances.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance <= max(1, max(letters.count, best.name.unicodeScalars.count) / 3) ? best.name : nil
    }

    /// Levenshtein's distance: how many letters have to be inserted, removed or replaced.
    private static func distance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
        var row = Array(0...b.count)
        for (i, letter) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for j in b.indices {
                let replaced = diagonal + (letter == b[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[b.count]
    }
}
