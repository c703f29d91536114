import CETNetCheckpoint
import CETNetGraph
import CETNetOperators

extension Freezer {
    mutating func plan(_ attention: CrossShapedAttention, name: String) {
        let dimension = attention.headDimension
        var branches: [(weightsAt: Int, biasAt: Int)] = []
        for branch in attention.branches {
            let weightsAt = reserve(branch.heads * 9 * dimension)
            let biasAt = reserve(branch.heads * dimension)
            branches.append((weightsAt, biasAt))
            addJob(cost: branch.weight.count) { source, memory in
                let filters = try source.values(branch.weight)
                for head in 0..<branch.heads {
                    let destination = memory.base + weightsAt + head * 9 * dimension
                    for across in 0..<3 {
                        for along in 0..<3 {
                            // Filters are (channel, row, column); rows run along a vertical stripe.
                            let tap =
                                if case .vertical = branch.stripe { along * 3 + across } else { across * 3 + along }
                            for channel in 0..<dimension {
                                destination[(across * 3 + along) * dimension + channel] =
                                    filters[(head * dimension + channel) * 9 + tap]
                            }
                        }
                    }
                }
                try source.read(branch.bias, into: memory.base + biasAt)
            }
        }
        let paddedAt = reserve(3 * attention.channels)
        addJob(cost: 3 * attention.channels) { source, memory in
            // What the projection makes of a zero token: its bias, the queries' part scaled.
            let row = memory.base + paddedAt
            try source.read(attention.qkvBias, into: row)
            let factor = 1 / Float(dimension).squareRoot()
            for channel in 0..<attention.channels { row[channel] *= factor }
        }
        addEntry { base, weights in
            weights.stripes[name] = StripeWeights(
                branches: branches.map { StripeWeights.Branch(weights: base + $0.weightsAt, bias: base + $0.biasAt) },
                paddedRow: base + paddedAt)
        }
    }

    mutating func plan(_ layer: StageTokensLayer) {
        if let norm = layer.layerNorm { plan(norm, name: layer.name) }
        let tokenAt = layer.classToken.map { reserve($0.channels) }
        let positionsAt = layer.positions.map { reserve($0.parameter.count) }
        addJob(cost: layer.positions?.parameter.count ?? 0) { source, memory in
            if let token = layer.classToken, let tokenAt {
                try source.read(token.parameter, into: memory.base + tokenAt)
            }
            if let positions = layer.positions, let positionsAt {
                // From the class token first to the class token last, as tokens are.
                let values = try source.values(positions.parameter)
                let front = positions.classTokens * positions.channels
                for index in values.indices {
                    let place = index < front ? values.count - front + index : index - front
                    memory.base[positionsAt + place] = values[index]
                }
            }
        }
        addEntry { base, weights in
            weights.stageTokens[layer.name] = StageTokensWeights(
                norm: weights.norms[layer.name], classToken: tokenAt.map { UnsafePointer(base + $0) },
                positions: positionsAt.map { UnsafePointer(base + $0) })
        }
    }
}
