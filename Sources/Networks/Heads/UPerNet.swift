// UPerNet, as in Xiao et al., "Unified Perceptual Parsing for Scene Understanding", ECCV 2018 (arXiv 1807.10221), with
// one head for semantic segmentation; tensors as in github.com/open-mmlab/mmsegmentation.
//
// From the stages' normalised maps c0 … c3, of 1/4, 1/8, 1/16 and 1/32 of the image's sides, to logits at 1/4:
//
//     pyramid pooling     p = bottleneck(c3, and c3 averaged over 1, 4, 9 and 36 bins)
//     top-down            l3 = p; ln = lateral(cn) + resized l(n+1)      n = 2, 1, 0
//     outputs             f3 = p; fn = fpn_conv(ln)
//     fusion              conv_seg(fpn_bottleneck(f0, resized f1, f2, f3))
import CETNetGraph

/// The numbers of a UPerNet head: the contents of key `head` of a model's configuration.
public struct UPerNet: Sendable, Hashable {
    /// Channels of every map inside the head. Key `hidden_size`.
    public var hiddenSize: Int
    /// Bins on a side for each branch of the pyramid pooling. Key `pool_scales`.
    public var poolScales: [Int]

    /// By default the published head's.
    public init(hiddenSize: Int = 512, poolScales: [Int] = [1, 2, 3, 6]) {
        (self.hiddenSize, self.poolScales) = (hiddenSize, poolScales)
    }

    static let keys: [ConfigurationKey<UPerNet>] = [
        .number("hidden_size", \.hiddenSize, in: 1...8192),
        ConfigurationKey(
            "pool_scales", \.poolScales,
            read: { reader throws(ConfigurationError) in try reader.integers("pool_scales") },
            write: { .array($0.map { .integer($0) }) },
            problem: { scales, _ in
                guard !(1...16).contains(scales.count) || !scales.allSatisfy((1...64).contains) else { return nil }
                return ("1 to 16 numbers from 1 to 64", "\(scales)")
            }),
    ]

    /// Trained scalars of the auxiliary head on c2, an FCN of 256 channels that helps training and is in the published
    /// counts. It is never run; a model file may hold it.
    package static func auxiliaryParameterCount(_ configuration: ModelConfiguration) -> Int {
        9 * configuration.dims[2] * 256 + 2 * 256 + 257 * configuration.numLabels
    }

    /// What precedes the names of the auxiliary head's tensors.
    package static let auxiliaryPrefix = "auxiliary_head."
}

extension GraphBuilder {
    /// The head. Returns the logits, ⌈H/4⌉×⌈W/4⌉×labels.
    /// - Parameter maps: c0 to c3, each normalised.
    mutating func upernet(_ maps: [ValueID], _ head: UPerNet, labels: Int) -> ValueID {
        part = .head
        let name = "decode_head"
        let pooled = pyramidPooling(name, maps[3], head)
        var top = pooled  // h3×w3×D
        var outputs = [pooled]
        for index in [2, 1, 0] {
            // First what is added, so that it is there when the lateral convolution adds it.
            let size = shape(of: maps[index]).size
            let above = resize("\(name).lateral_convs.\(index).up", top, to: size)
            let lateral = convModule("\(name).lateral_convs.\(index)", maps[index], head, kernel: 1)
            top = append("\(name).lateral_convs.\(index).add", .add, [lateral, above])  // hn×wn×D
            outputs.insert(convModule("\(name).fpn_convs.\(index)", top, head, kernel: 3), at: 0)
        }
        let size = shape(of: maps[0]).size
        let resized = outputs.enumerated().map { index, map in
            index == 0 ? map : resize("\(name).fpn_bottleneck.up.\(index)", map, to: size)
        }
        var x = append("\(name).fpn_bottleneck.concat", .concatenation, resized)  // h0×w0×4D
        x = convModule(name + ".fpn_bottleneck", x, head, kernel: 3)  // h0×w0×D
        let classifier = Convolution(
            name: name + ".conv_seg", inputChannels: head.hiddenSize, outputChannels: labels, kernel: 1, bias: true)
        return append(name + ".conv_seg", .convolution(classifier), [x])  // h0×w0×labels
    }

    /// Pyramid pooling (Zhao et al., PSPNet, arXiv 1612.01105, section 3.2): the map beside what it is on average over
    /// 1, 4, 9 and 36 bins.
    ///
    ///     H×W×C → k×k×C → k×k×D → H×W×D for each scale k; concat: H×W×(C + scales·D) → H×W×D
    private mutating func pyramidPooling(_ name: String, _ map: ValueID, _ head: UPerNet) -> ValueID {
        let branches = head.poolScales.enumerated().map { index, side in
            let branch = "\(name).psp_modules.\(index)"
            var x = append(branch + ".0", .adaptiveAveragePooling(AdaptiveAveragePooling(side: side)), [map])
            x = convModule(branch + ".1", x, head, kernel: 1)
            return resize(branch + ".up", x, to: shape(of: map).size)
        }
        let x = append(name + ".bottleneck.concat", .concatenation, [map] + branches)
        return convModule(name + ".bottleneck", x, head, kernel: 3)
    }

    /// mmsegmentation's ConvModule: convolution without bias, batch normalisation, ReLU.
    private mutating func convModule(_ name: String, _ x: ValueID, _ head: UPerNet, kernel: Int) -> ValueID {
        let y = convBN(name, x, outputChannels: head.hiddenSize, kernel: kernel, activated: false)
        return append(name + ".act", .activation(.relu), [y])
    }

    private mutating func resize(_ name: String, _ x: ValueID, to size: ImageSize) -> ValueID {
        append(name, .bilinearResize(BilinearResize(size: size)), [x])
    }
}
