import CETNetGraph
import CETNetNetworks
import Foundation
import Testing

/// Dense backbones, the UPerNet head, and their configuration.
struct SegmentationNetworkTests {
    private func configuration(_ keys: String = "") throws -> ModelConfiguration {
        try ModelConfiguration(
            json: Data(
                ("{\"model_type\": \"cetnet\", \"task\": \"segmentation\", \"dims\": [8, 16, 24, 32], "
                    + "\"depths\": [1, 2, 1, 1], \"num_heads\": [1, 2, 3, 4], \"num_labels\": 5\(keys)}").utf8),
            source: "c")
    }

    private func refusal(_ keys: String) -> String? { message { _ = try configuration(keys) } }

    /// The head as people would write it down, at odd sizes.
    @Test func headOfAnOddImage() throws {
        let head = #", "head": {"type": "upernet", "hidden_size": 6, "pool_scales": [1, 6]}"#
        let graph = try Network(configuration(head)).graph(imageSize: ImageSize(height: 97, width: 250))
        let nodes = graph.nodes.drop { !$0.name.hasPrefix("decode_head") }.map { node in
            let name = node.name.dropFirst("decode_head.".count)
            let inputs = node.inputs.map { graph.nodes[$0.index].name.replacing("decode_head.", with: "") }
            return "\(name) = \(node.operator.name)(\(inputs.joined(separator: ", "))) \(node.shape)"
        }
        #expect(
            nodes == [
                "psp_modules.0.0 = adaptive average pooling(backbone.norm3) 1x1x32",
                "psp_modules.0.1.conv = convolution(psp_modules.0.0) 1x1x6",
                "psp_modules.0.1.bn = batch norm(psp_modules.0.1.conv) 1x1x6",
                "psp_modules.0.1.act = ReLU(psp_modules.0.1.bn) 1x1x6",
                "psp_modules.0.up = bilinear resize(psp_modules.0.1.act) 4x8x6",
                "psp_modules.1.0 = adaptive average pooling(backbone.norm3) 6x6x32",
                "psp_modules.1.1.conv = convolution(psp_modules.1.0) 6x6x6",
                "psp_modules.1.1.bn = batch norm(psp_modules.1.1.conv) 6x6x6",
                "psp_modules.1.1.act = ReLU(psp_modules.1.1.bn) 6x6x6",
                "psp_modules.1.up = bilinear resize(psp_modules.1.1.act) 4x8x6",
                "bottleneck.concat = concatenation(backbone.norm3, psp_modules.0.up, psp_modules.1.up) 4x8x44",
                "bottleneck.conv = convolution(bottleneck.concat) 4x8x6",
                "bottleneck.bn = batch norm(bottleneck.conv) 4x8x6",
                "bottleneck.act = ReLU(bottleneck.bn) 4x8x6",
                "lateral_convs.2.up = bilinear resize(bottleneck.act) 7x16x6",
                "lateral_convs.2.conv = convolution(backbone.norm2) 7x16x6",
                "lateral_convs.2.bn = batch norm(lateral_convs.2.conv) 7x16x6",
                "lateral_convs.2.act = ReLU(lateral_convs.2.bn) 7x16x6",
                "lateral_convs.2.add = add(lateral_convs.2.act, lateral_convs.2.up) 7x16x6",
                "fpn_convs.2.conv = convolution(lateral_convs.2.add) 7x16x6",
                "fpn_convs.2.bn = batch norm(fpn_convs.2.conv) 7x16x6",
                "fpn_convs.2.act = ReLU(fpn_convs.2.bn) 7x16x6",
                "lateral_convs.1.up = bilinear resize(lateral_convs.2.add) 13x32x6",
                "lateral_convs.1.conv = convolution(backbone.norm1) 13x32x6",
                "lateral_convs.1.bn = batch norm(lateral_convs.1.conv) 13x32x6",
                "lateral_convs.1.act = ReLU(lateral_convs.1.bn) 13x32x6",
                "lateral_convs.1.add = add(lateral_convs.1.act, lateral_convs.1.up) 13x32x6",
                "fpn_convs.1.conv = convolution(lateral_convs.1.add) 13x32x6",
                "fpn_convs.1.bn = batch norm(fpn_convs.1.conv) 13x32x6",
                "fpn_convs.1.act = ReLU(fpn_convs.1.bn) 13x32x6",
                "lateral_convs.0.up = bilinear resize(lateral_convs.1.add) 25x63x6",
                "lateral_convs.0.conv = convolution(backbone.norm0) 25x63x6",
                "lateral_convs.0.bn = batch norm(lateral_convs.0.conv) 25x63x6",
                "lateral_convs.0.act = ReLU(lateral_convs.0.bn) 25x63x6",
                "lateral_convs.0.add = add(lateral_convs.0.act, lateral_convs.0.up) 25x63x6",
                "fpn_convs.0.conv = convolution(lateral_convs.0.add) 25x63x6",
                "fpn_convs.0.bn = batch norm(fpn_convs.0.conv) 25x63x6",
                "fpn_convs.0.act = ReLU(fpn_convs.0.bn) 25x63x6",
                "fpn_bottleneck.up.1 = bilinear resize(fpn_convs.1.act) 25x63x6",
                "fpn_bottleneck.up.2 = bilinear resize(fpn_convs.2.act) 25x63x6",
                "fpn_bottleneck.up.3 = bilinear resize(bottleneck.act) 25x63x6",
                "fpn_bottleneck.concat = concatenation(fpn_convs.0.act, fpn_bottleneck.up.1, fpn_bottleneck.up.2, "
                    + "fpn_bottleneck.up.3) 25x63x24",
                "fpn_bottleneck.conv = convolution(fpn_bottleneck.concat) 25x63x6",
                "fpn_bottleneck.bn = batch norm(fpn_bottleneck.conv) 25x63x6",
                "fpn_bottleneck.act = ReLU(fpn_bottleneck.bn) 25x63x6",
                "conv_seg = convolution(fpn_bottleneck.act) 25x63x5",
            ])
        #expect(graph.outputs.map(\.name) == ["stage1", "stage2", "stage3", "stage4", "logits"])
        #expect(
            graph.features.map { graph.nodes[$0.index].name } == (0...3).map { "backbone.norm\($0)" },
            "the maps that heads read are normalised")
        #expect(graph.parameters.allSatisfy { $0.name.hasPrefix("backbone.") || $0.name.hasPrefix("decode_head.") })
    }

    /// Windows of dense models shift on every axis, unless the configuration says otherwise.
    @Test func shifts() throws {
        func shifts(_ configuration: ModelConfiguration) throws -> Set<Bool> {
            let graph = try Network(configuration).graph(imageSize: ImageSize(square: 64))
            return Set(
                graph.nodes.compactMap {
                    if case .windowAttention(let attention) = $0.operator { attention.alwaysShifts } else { nil }
                })
        }
        #expect(try shifts(configuration()) == [true])
        #expect(try shifts(configuration(#", "shift": "where-larger""#)) == [false])
        #expect(try shifts(smallConfiguration()) == [false])
        #expect(try shifts(smallConfiguration { $0.shift = .always }) == [true])
    }

    /// Swin's image is padded to whole patches; a convolutional embedding needs none.
    @Test func padding() throws {
        let patches = try configuration(#", "block": "swin", "embeddings": ["patch", "merge", "merge", "merge"]"#)
        let graph = try Network(patches).graph(imageSize: ImageSize(height: 97, width: 250))
        #expect(graph.nodes[1].name == "backbone.stages.0.embed.pad")
        #expect(graph.nodes[1].shape == TensorShape(height: 100, width: 252, channels: 3))
        #expect(
            graph.features.map { graph.shape(of: $0).size.description } == ["25x63", "13x32", "7x16", "4x8"])
        let embedded = try Network(configuration()).graph(imageSize: ImageSize(height: 97, width: 250))
        #expect(!embedded.nodes.contains { $0.operator.name == "zero padding" })
    }

    @Test func defaultsAndWhatIsWritten() throws {
        let plain = try configuration()
        #expect(plain.task == .segmentation && plain.head == .upernet(UPerNet()))
        #expect(plain.imageSize == 512 && plain.preprocess.cropMode == .squash && plain.preprocess.cropFraction == 1)
        let json = try String(decoding: plain.json(), as: UTF8.self)
        #expect(
            json.contains(#""type": "upernet""#) && json.contains(#""hidden_size": 512"#)
                && json.contains(#""pool_scales": [1, 2, 3, 6]"#) && json.contains(#""task": "segmentation""#)
                && !json.contains("shift"), "\(json)")
        let variant = try ModelConfiguration(variant: "swin-b-upernet")
        #expect(variant.numLabels == 150 && variant.windowSize == 7 && variant.block == .swin)
        #expect(try ModelConfiguration(json: variant.json(), source: "v") == variant)
        // A classifier's file does not mention tasks.
        let classifier = try String(decoding: smallConfiguration().json(), as: UTF8.self)
        #expect(!classifier.contains("task") && !classifier.contains("head\"") && !classifier.contains("shift"))
    }

    @Test func mistakesAreNamed() {
        for (keys, expected) in [
            (#", "head": {"type": "fcn"}"#, #"c: "head.type": expected "upernet", found "fcn""#),
            (#", "head": {}"#, #"c: "head.type" is missing, and no "variant" gives it"#),
            (
                #", "head": {"type": "upernet", "hiden_size": 3}"#,
                #"c: unknown key "head.hiden_size"; did you mean "head.hidden_size"?"#
            ),
            (
                #", "head": {"type": "upernet", "hidden_size": 0}"#,
                #"c: "head.hidden_size": expected a number from 1 to 8192, found 0"#
            ),
            (
                #", "head": {"type": "upernet", "pool_scales": []}"#,
                #"c: "head.pool_scales": expected 1 to 16 numbers from 1 to 64, found []"#
            ),
            (#", "shift": "never""#, #"c: "shift": expected one of "where-larger", "always", found "never""#),
            (
                #", "preprocess": {"crop_pct": 0.9}"#,
                #"c: "preprocess": expected "crop_mode" "squash" and "crop_pct" 1, as every pixel gets a label, found "#
                    + #""squash" and 0.9"#
            ),
            (
                #", "block": "pvt", "embeddings": ["patch", "patch", "patch", "patch"]"#,
                #"c: "head": expected a backbone of four maps without class token in front of "upernet", found block "#
                    + #""pvt" with embeddings ["patch", "patch", "patch", "patch"]"#
            ),
        ] {
            #expect(refusal(keys) == expected, "\(keys)")
        }
        let found = message {
            _ = try ModelConfiguration(
                json: Data(#"{"model_type": "cetnet", "variant": "swin-t", "head": {"type": "upernet"}}"#.utf8),
                source: "c")
        }
        #expect(found == #"c: "head": expected "task" "segmentation" with it, found "classification""#)
    }
}
