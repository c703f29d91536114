import Foundation

/// One label that a model gives an image, with its probability.
public struct Prediction: Sendable, Hashable, Codable, CustomStringConvertible {
    /// Position of the label in the model's output, from 0.
    public let index: Int
    /// The label's name, from the model's configuration.
    public let label: String
    /// Softmax over all labels, 0...1.
    public let probability: Float

    /// A prediction of the given values; not checked.
    public init(index: Int, label: String, probability: Float) {
        self.index = index
        self.label = label
        self.probability = probability
    }

    /// For instance `tabby cat (71.3 %)`.
    public var description: String {
        "\(label) (\(percent(Double(probability * 100))))"
    }
}

/// A percentage with one decimal, `71.3 %`. Not `String(format:)`, with which programs that are linked statically get
/// Foundation's tables of all languages, 40 MB.
package func percent(_ value: Double) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { text in
        withVaList([value]) { _ = vsnprintf(text.baseAddress, text.count, "%.1f %%", $0) }
        return String(cString: text.baseAddress!)
    }
}

/// Softmax and ranking of one image's logits.
enum Ranking {
    /// The `count` most probable labels, the most probable first; ties by index.
    ///
    /// The largest logit is subtracted before exponentials are taken, so none overflows, and sums are in double
    /// precision.
    /// - Returns: `nil` if a logit is NaN or infinite.
    static func predictions(logits: ArraySlice<Float>, labels: [String], top count: Int) -> [Prediction]? {
        precondition(count >= 0, "a count of predictions cannot be negative")
        guard logits.allSatisfy(\.isFinite), let largest = logits.max() else { return nil }
        let exponentials = logits.map { exp(Double($0) - Double(largest)) }
        let sum = exponentials.reduce(0, +)
        let first = logits.startIndex
        let order = exponentials.indices.sorted {
            let (a, b) = (logits[first + $0], logits[first + $1])
            return a == b ? $0 < $1 : a > b
        }
        return order.prefix(count).map {
            Prediction(index: $0, label: labels[$0], probability: Float(exponentials[$0] / sum))
        }
    }
}
