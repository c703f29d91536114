import CETNet

extension Variant.Study {
    /// Over the report.
    var title: String {
        switch self {
        case .layers: "How many layers has the convolutional embedding?"
        case .units: "Which unit is the convolutional embedding made of?"
        case .stages: "Which stages have a convolutional embedding?"
        case .family: "CETNet in its sizes"
        case .backbones: "The convolutional embedding on other backbones"
        }
    }

    /// What the study is to find out.
    var question: String {
        switch self {
        case .layers:
            """
            CETNet-T with embeddings of 1, 3, 5 and 7 layers. What does each pair of layers cost in milliseconds, and \
            does its accuracy pay for it?
            """
        case .units:
            """
            CETNet-T with embeddings of seven units that cost about the same multiply-adds. Which of them does this \
            machine compute as fast as their multiply-adds suggest, and which gives the best accuracy for its time?
            """
        case .stages:
            """
            CETNet-T with the convolutional embedding in the first 0, 1, 2, 3 and all 4 stages; the others open with a \
            patch embedding or Swin's patch merging. Where is the time of the embedding spent?
            """
        case .family:
            "CETNet-T, S and B. What do the larger models' accuracies cost in milliseconds?"
        case .backbones:
            """
            Swin, CvT, PVT and CSWin, each beside the form that opens its stages with convolutional embeddings. Is the \
            more accurate form also the faster one, or what does it cost?
            """
        }
    }

    /// The variant that another one's ratio refers to.
    func baseline(of name: String) -> String {
        guard self == .backbones else { return "cetnet-t" }
        let prefix = "ce-"
        return name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
    }
}
