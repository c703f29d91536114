/// The choices that no other choice beats.
enum ParetoFront {
    /// Indices of the points that no other is better than: at most the same cost and at least the same value, and one
    /// of both strictly. In ascending order of cost.
    static func indices(_ points: [(cost: Double, value: Double)]) -> [Int] {
        points.indices.filter { index in
            let point = points[index]
            return !points.contains {
                $0.cost <= point.cost && $0.value >= point.value
                    && ($0.cost < point.cost || $0.value > point.value)
            }
        }.sorted { points[$0].cost < points[$1].cost }
    }
}
