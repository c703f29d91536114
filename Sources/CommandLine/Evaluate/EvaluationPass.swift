import CETNet
import Foundation

/// What a model says of labelled images.
struct EvaluationPass {
    /// `nil` for images that cannot be read, which are named on standard error.
    let outcomes: [Evaluation.Outcome?]
    let imagesPerSecond: Double

    init(_ model: Model, _ data: LabelledImages, batch: Int) throws(Failure) {
        let bar = ProgressBar(total: data.images.count, noun: "images")
        var outcomes: [Evaluation.Outcome?] = []
        outcomes.reserveCapacity(data.images.count)
        let start = ContinuousClock.now
        try Failure.wrap(.unusable) {
            try model.classify(data.images, top: 5, batch: batch) { index, result in
                switch result {
                case .success(let predictions):
                    let truth = data.labels[index]
                    outcomes.append(
                        Evaluation.Outcome(
                            truth: truth, predicted: predictions[0].index, probability: predictions[0].probability,
                            isAmongFive: predictions.contains { $0.index == truth }))
                case .failure(let error):
                    bar.clear()
                    Console.report(error, of: data.images[index])
                    outcomes.append(nil)
                }
                bar.show(outcomes.count)
            }
        }
        bar.clear()
        self.outcomes = outcomes
        imagesPerSecond = Double(outcomes.count) / (start.duration(to: .now) / .seconds(1))
    }
}
