import CETNetCheckpoint
import CETNetGraph
import CETNetPreprocessing

extension ModelConfiguration {
    /// What a model says about an image. Key `task`.
    public enum Task: String, Sendable, Hashable, CaseIterable {
        /// What the image shows.
        case classification
        /// What each pixel shows.
        case segmentation
    }

    /// What follows the backbone. Key `head`; a new one is a case here and a file beside this one.
    public enum Head: Sendable, Hashable {
        /// Norm, mean over all tokens, linear layer.
        case classifier
        /// A label for each pixel, from the maps of all stages.
        case upernet(UPerNet)
    }

    /// Which axes of a map windows are shifted on, in every second block. Key `shift`.
    public enum Shift: String, Sendable, Hashable, CaseIterable {
        /// Those that are larger than a window, as classifiers do.
        case whereLarger = "where-larger"
        /// All, as dense models do.
        case always
    }

    /// What the model says about an image. Key `task`.
    public var task: Task {
        switch head {
        case .classifier: .classification
        case .upernet: .segmentation
        }
    }

    /// Which axes of a map windows are shifted on: ``shift``, or what is usual for the task.
    var windowShift: Shift { shift ?? (task == .classification ? .whereLarger : .always) }

    /// What precedes the names of the backbone's tensors.
    var backbonePrefix: String { task == .classification ? "" : "backbone." }

    /// Makes it a segmentation model, with a head and a preparation of images that are usual for one: all of the image,
    /// squashed to 512×512.
    mutating func becomeSegmentation() {
        head = .upernet(UPerNet())
        imageSize = 512
        preprocess.interpolation = .bilinear
        (preprocess.cropMode, preprocess.cropFraction) = (.squash, 1)
    }

    static let headKeys: [ConfigurationKey<ModelConfiguration>] = [
        ConfigurationKey(
            name: "task",
            read: { reader, configuration throws(ConfigurationError) in
                switch try reader.choice("task", among: Task.allCases) {
                case .classification?: configuration.head = .classifier
                case .segmentation? where configuration.task != .segmentation: configuration.becomeSegmentation()
                case .segmentation?, nil: break
                }
            },
            write: { $0.task == .classification ? nil : .string($0.task.rawValue) }, problem: { _ in nil }),
        ConfigurationKey(
            "shift", \.shift,
            read: { reader throws(ConfigurationError) in try reader.choice("shift", among: Shift.allCases) },
            write: { $0.map { .string($0.rawValue) } }),
        ConfigurationKey(
            name: "head",
            read: { reader, configuration throws(ConfigurationError) in
                guard var inner = try reader.object("head") else { return }
                guard case .upernet(var upernet) = configuration.head else {
                    throw reader.invalid(
                        "head", "\"task\" \"segmentation\" with it", .string(configuration.task.rawValue))
                }
                guard let type = inner.value("type") else { throw inner.missing("type") }
                guard type == .string("upernet") else { throw inner.invalid("type", "\"upernet\"", type) }
                for key in UPerNet.keys { try key.read(&inner, &upernet) }
                try inner.refuseUnknownKeys()
                configuration.head = .upernet(upernet)
            },
            write: { configuration in
                guard case .upernet(let upernet) = configuration.head else { return nil }
                return .object([.init("type", .string("upernet"))] + UPerNet.keys.members(of: upernet))
            },
            problem: { _ in nil }),
    ]

    /// Checks what a head asks of the backbone and of the images.
    func checkHead(source: String) throws(ConfigurationError) {
        guard case .upernet(let upernet) = head else { return }
        func invalid(_ key: String, _ expected: String, _ found: String) -> ConfigurationError {
            .invalidValue(source: source, key: key, expected: expected, found: found)
        }
        try UPerNet.keys.check(upernet, source: source, prefix: "head.")
        guard dims.count == 4, classTokenStage == nil else {
            throw invalid(
                "head", "a backbone of four maps without class token in front of \"upernet\"",
                "block \(quoted(block.rawValue)) with embeddings \(embeddings.map(\.rawValue))")
        }
        guard preprocess.cropMode == .squash, preprocess.cropFraction == 1 else {
            throw invalid(
                "preprocess", "\"crop_mode\" \"squash\" and \"crop_pct\" 1, as every pixel gets a label",
                "\(quoted(preprocess.cropMode.rawValue)) and \(preprocess.cropFraction)")
        }
    }
}
