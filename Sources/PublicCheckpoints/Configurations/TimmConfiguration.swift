import CETNetCheckpoint
import CETNetNetworks
import CETNetPreprocessing

/// The configuration that timm saves: an architecture's name, arguments that changed it, and `pretrained_cfg` with what
/// images look like.
enum TimmConfiguration {
    /// An architecture: what its name stands for before `_patch4_window7_224`.
    private struct Architecture {
        let name: String
        var width: Int
        var depths: [Int]
        var numHeads: [Int]
    }

    private static let architectures = [
        Architecture(name: "swin_tiny", width: 96, depths: [2, 2, 6, 2], numHeads: [3, 6, 12, 24]),
        Architecture(name: "swin_small", width: 96, depths: [2, 2, 18, 2], numHeads: [3, 6, 12, 24]),
        Architecture(name: "swin_base", width: 128, depths: [2, 2, 18, 2], numHeads: [4, 8, 16, 32]),
        Architecture(name: "swin_large", width: 192, depths: [2, 2, 18, 2], numHeads: [6, 12, 24, 48]),
    ]

    /// Arguments that matter in training only.
    private static let trainingArguments: Set<String> = [
        "drop_rate", "proj_drop_rate", "attn_drop_rate", "drop_path_rate", "weight_init", "strict_img_size",
        "pretrained", "checkpoint_path", "scriptable", "exportable", "no_jit",
    ]

    static func read(
        _ reader: inout ConfigurationReader, labelCount: (String) -> Int?
    ) throws(ConfigurationError) -> PublicConfiguration {
        let name = try reader.string("architecture") ?? ""
        guard var (architecture, windowSize, imageSize) = parse(name) else {
            throw reader.invalid(
                "architecture",
                "one of " + architectures.map(\.name).joined(separator: ", ") + " with _patch4_windowN_N",
                .string(name))
        }
        try reader.require("global_pool", "avg")

        var ratio = 4
        if var arguments = try reader.object("model_args", nullIsAbsent: true) {
            try arguments.require("patch_size", 4)
            try arguments.require("in_chans", 3)
            try arguments.require("qkv_bias", true)
            try arguments.require("global_pool", "avg")
            try arguments.require("always_partition", false)
            try arguments.require("dynamic_mask", false)
            architecture.width = try arguments.wholeNumber("embed_dim") ?? architecture.width
            architecture.depths = try arguments.wholeNumbers("depths") ?? architecture.depths
            architecture.numHeads = try arguments.wholeNumbers("num_heads") ?? architecture.numHeads
            windowSize = try side("window_size", &arguments) ?? windowSize
            imageSize = try side("img_size", &arguments) ?? imageSize
            ratio = try arguments.wholeNumber("mlp_ratio") ?? ratio
            _ = arguments.value("num_classes")
            try arguments.refuseUnknownKeys(ignoring: trainingArguments)
        }

        // Before version 0.8 what is now in `pretrained_cfg` was beside `architecture`.
        var data = try reader.object("pretrained_cfg", nullIsAbsent: true) ?? reader
        let preprocess = try preprocess(&data)
        if let size = try data.wholeNumbers("input_size") {
            guard size.count == 3, size[0] == 3, size[1] == size[2] else {
                throw data.invalid("input_size", "3 channels and two equal sides", data.value("input_size")!)
            }
            imageSize = size[1]
        }
        try requireWholeWindows(windowSize, imageSize: imageSize, reader)
        guard (1...1 << 16).contains(architecture.width) else {
            throw reader.invalid("model_args.embed_dim", "a number from 1 to \(1 << 16)", .integer(architecture.width))
        }

        let model = ModelConfiguration(
            dims: [1, 2, 4, 8].map { architecture.width * $0 }, depths: architecture.depths,
            numHeads: architecture.numHeads, mlpRatios: [ratio, ratio, ratio, ratio], block: .swin,
            embeddings: ModelConfiguration.Block.swin.publishedEmbeddings, windowSize: windowSize, imageSize: imageSize,
            preprocess: preprocess)
        let classifier = "head.fc.weight"
        let labelled = try model.labelled(
            labels(&reader, &data), key: "label_names", rows: labelCount(classifier), classifier: classifier,
            source: reader.source)
        return PublicConfiguration(model: labelled.named(), layout: .named("timm's Swin Transformer"))
    }

    /// `swin_tiny_patch4_window7_224`, perhaps with a tag behind a dot, in its parts.
    private static func parse(
        _ name: String
    ) -> (architecture: Architecture, windowSize: Int, imageSize: Int)? {
        let bare = name.split(separator: ".", maxSplits: 1).first ?? ""
        guard let architecture = architectures.first(where: { bare.hasPrefix($0.name + "_patch4_window") }) else {
            return nil
        }
        let numbers = bare.dropFirst((architecture.name + "_patch4_window").count).split(
            separator: "_", omittingEmptySubsequences: false)
        guard numbers.count == 2, let window = Int(numbers[0]), let size = Int(numbers[1]) else { return nil }
        return (architecture, window, size)
    }

    /// A number, or two equal ones.
    private static func side(
        _ key: String, _ reader: inout ConfigurationReader
    ) throws(ConfigurationError) -> Int? {
        guard let value = reader.value(key), case .array(let sides) = value else { return try reader.wholeNumber(key) }
        guard sides.count == 2, sides[0] == sides[1], let side = sides[0].wholeNumber else {
            throw reader.invalid(key, "two equal sides", value)
        }
        return side
    }

    /// timm treats maps that are no multiple of a window in another way: it rolls before it pads.
    private static func requireWholeWindows(
        _ windowSize: Int, imageSize: Int, _ reader: ConfigurationReader
    ) throws(ConfigurationError) {
        var side = imageSize / 4
        for stage in 0..<4 {
            guard windowSize > 0, side % windowSize == 0, imageSize % 4 == 0 else {
                throw reader.invalid(
                    "pretrained_cfg.input_size",
                    "a size whose maps are multiples of \"window_size\" \(windowSize); that of stage \(stage) is not",
                    .integer(imageSize))
            }
            side = (side + 1) / 2
        }
    }

    private static func preprocess(
        _ data: inout ConfigurationReader
    ) throws(ConfigurationError) -> PreprocessConfiguration {
        try data.require("crop_border_pixels", 0)
        return PreprocessConfiguration(
            interpolation: try data.choice("interpolation", among: PreprocessConfiguration.Interpolation.allCases)
                ?? .bicubic,
            cropFraction: try data.number("crop_pct") ?? 0.875,
            cropMode: try data.choice("crop_mode", among: PreprocessConfiguration.CropMode.allCases) ?? .center,
            mean: try data.channels("mean") ?? PreprocessConfiguration().mean,
            standardDeviation: try data.channels("std") ?? PreprocessConfiguration().standardDeviation)
    }

    /// `label_names`, described by `label_descriptions` where there are any; either place may hold them.
    private static func labels(
        _ reader: inout ConfigurationReader, _ data: inout ConfigurationReader
    ) throws(ConfigurationError) -> [String]? {
        let beside = try reader.strings("label_names")
        let inside = try data.strings("label_names")
        guard let names = beside ?? inside else { return nil }
        var descriptions: [String: String] = [:]
        if case .object(let members) = reader.value("label_descriptions") ?? data.value("label_descriptions") {
            for member in members {
                if case .string(let text) = member.value { descriptions[member.key] = text }
            }
        }
        return names.map { descriptions[$0] ?? $0 }
    }
}
