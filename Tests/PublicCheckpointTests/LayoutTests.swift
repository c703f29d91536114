import CETNet
import CETNetCheckpoint
import CETNetNetworks
import CETNetPublicCheckpoints
import Foundation
import TestSupport
import Testing

/// Every table of names, on files with this project's configuration beside them, as `convert.py` writes them.
@Suite struct LayoutTests {
    /// Those of classifiers; segmentation models have a fixture of their package, and `verify_public.py`.
    static let names = Layout.all.filter { $0.task == .classification }.map(\.name)

    private func layout(_ name: String) -> Layout { Layout.all.first { $0.name == name }! }

    /// The same numbers under other names are the same model.
    @Test(arguments: names) func aModelInOtherNamesIsTheSameModel(name: String) throws {
        let layout = layout(name)
        let configuration = try smallConfiguration(layout.block)
        let directory = try TemporaryDirectory()
        var renamed = try tensors(of: configuration, in: layout, directory: directory)
        #expect(Set(renamed.map(\.name)).count == renamed.count)
        // What packages compute and save is not read.
        renamed.append(("x.attn.relative_position_index", [2], [0, 1]))
        let url = try write(renamed, configuration: configuration.json(), to: directory, "theirs")

        let options = Model.Options(threads: 1, concurrency: 1)
        let expected = try Model(path: directory.path("own"), options: options).logits(image(64)).values
        let found = try Model(contentsOf: url, options: options).logits(image(64)).values
        #expect(found.map(\.bitPattern) == expected.map(\.bitPattern), "\(found) \(expected)")
        #expect(try ModelSummary(contentsOf: url).layout == name)
        #expect(try Model(contentsOf: url, options: options).summary().layout == name)
    }

    /// No layout is a part of another, so that which it is does not depend on an order.
    @Test(arguments: names) func noLayoutIsTakenForAnother(name: String) throws {
        let layout = layout(name)
        let configuration = try smallConfiguration(layout.block)
        let directory = try TemporaryDirectory()
        let own = try tensors(of: configuration, in: nil, directory: directory)
        let url = try write(
            tensors(of: configuration, in: layout, directory: directory), configuration: configuration.json(),
            to: directory, "theirs")
        let file = try SafetensorsFile(contentsOf: url.appendingPathComponent("model.safetensors"))
        let parameters = own.map { (name: $0.name, shape: $0.shape) }
        for other in Layout.all where other.block == layout.block && other.name != name {
            #expect(throws: CheckpointError.self, "\(other.name)") {
                try RenamedTensors(file, layout: other, depths: configuration.depths, parameters: parameters)
            }
        }
        #expect(throws: CheckpointError.self) { try file.requireExactly(parameters) }
    }

    @Test(arguments: names) func whatDoesNotFitIsListedInItsOwnNames(name: String) throws {
        let layout = layout(name)
        let configuration = try smallConfiguration(layout.block)
        let directory = try TemporaryDirectory()
        var renamed = try tensors(of: configuration, in: layout, directory: directory)
        let missing = renamed.remove(at: 4).name
        let last = renamed.count - 1
        let misshapen = ShapeMismatch(
            tensor: renamed[last].name, expected: renamed[last].shape, found: [1] + renamed[last].shape)
        renamed[last].shape.insert(1, at: 0)
        renamed.append(("backbone.extra", [1], [0]))
        let url = try write(renamed, configuration: configuration.json(), to: directory, "theirs")
        let error = CheckpointError.doesNotFit(
            file: url.appendingPathComponent("model.safetensors").path, layout: name, missing: [missing],
            unexpected: ["backbone.extra"], misshapen: [misshapen])
        #expect(throws: error) { try Model(contentsOf: url) }
        for text in ["recognised as \(name)", missing, "backbone.extra", misshapen.tensor] {
            #expect("\(error)".contains(text), "\(error)")
        }
    }

    /// A file that is like no layout is measured against this project's names.
    @Test func whatIsLikeNoLayoutIsCalledNone() throws {
        let directory = try TemporaryDirectory()
        let configuration = try smallConfiguration(.swin)
        let url = try write(
            [("conv1.weight", [1], [0]), ("norm.weight", [64], [Float](repeating: 0, count: 64))],
            configuration: configuration.json(), to: directory, "resnet")
        let text = message { try Model(contentsOf: url) }
        #expect(text.contains("does not fit the model") && !text.contains("recognised"), "\(text)")
        #expect(text.contains("conv1.weight") && text.contains("stages.0.embed.proj.weight"), "\(text)")
    }

    /// The authors publish no package to compare with, so these names are written out from their checkpoints.
    @Test(arguments: [
        ("the authors' Swin Transformer", "stages.2.embed.reduction.weight", ["layers.1.downsample.reduction.weight"]),
        ("the authors' Swin Transformer", "stages.0.blocks.1.mlp.fc2.bias", ["layers.0.blocks.1.mlp.fc2.bias"]),
        ("the authors' Swin Transformer", "head.weight", ["head.weight"]),
        ("the authors' PVT", "stages.1.embed.norm.weight", ["patch_embed2.norm.weight"]),
        ("the authors' PVT", "stages.3.blocks.0.attn.kv.bias", ["block4.0.attn.kv.bias"]),
        ("the authors' PVT", "pos_embed4", ["pos_embed4"]),
        ("the authors' PVT", "cls_token", ["cls_token"]),
        ("the authors' CvT", "cls_token", ["stage2.cls_token"]),
        (
            "the authors' CvT", "stages.2.blocks.9.attn.conv_proj_k.bn.running_var",
            ["stage2.blocks.9.attn.conv_proj_k.bn.running_var"]
        ),
        ("the authors' CvT", "stages.1.embed.proj.weight", ["stage1.patch_embed.proj.weight"]),
        ("the authors' CSWin Transformer", "stages.0.embed.norm.bias", ["stage1_conv_embed.2.bias"]),
        ("the authors' CSWin Transformer", "stages.3.embed.proj.weight", ["merge3.conv.weight"]),
        ("the authors' CSWin Transformer", "stages.0.blocks.0.attn.lepe.1.weight", ["stage1.0.attns.1.get_v.weight"]),
        ("the authors' CSWin Transformer", "stages.2.blocks.5.attn.qkv.bias", ["stage3.5.qkv.bias"]),
        (
            "Transformers' Swin", "stages.1.blocks.1.attn.qkv.weight",
            ["query", "key", "value"].map { "swin.encoder.layers.1.blocks.1.attention.self.\($0).weight" }
        ),
    ])
    func namesAreTheirs(layout: String, ours: String, theirs: [String]) throws {
        #expect(self.layout(layout).theirNames(of: ours, depths: [2, 2, 10, 2]) == theirs)
    }

    static let start = #"{"computed": [], "layouts": [{"name": "a""#

    @Test(arguments: [
        ("{}", #""computed" is missing"#),
        (start + "}]}", #""layouts.0.block" is missing"#),
        (start + #", "block": "vit"}]}"#, #""layouts.0.block": expected one of"#),
        (start + #", "block": "cvt", "blocks": ["a"]}]}"#, #""layouts.0.blocks": expected a text"#),
        (
            start + #", "block": "cvt", "blocks": "a", "renamed": {"norm1": ["a", 2]}}]}"#,
            #""layouts.0.renamed.norm1": expected an array of texts, found 2"#
        ),
        (
            start + #", "block": "cvt", "blocks": "a", "modul": {}}]}"#,
            #"unknown key "layouts.0.modul"; did you mean "layouts.0.modules"?"#
        ),
    ])
    func mistakesInATableAreNamed(text: String, expected: String) {
        let found = message { try Layout.read(json: Data(text.utf8), source: "t") }
        #expect(found.contains(expected), "\(found)")
    }

    /// A table that leaves out a tensor of the backbone, or gives two the same name, loads no model.
    @Test(arguments: names) func everyTensorHasANameOfItsOwn(name: String) throws {
        let layout = layout(name)
        let configuration = try smallConfiguration(layout.block)
        let parameters = try Network(configuration).parameters.map(\.name)
        let theirs = parameters.map { layout.theirNames(of: $0, depths: configuration.depths) }
        let nameless = zip(parameters, theirs).filter { $1.isEmpty }.map(\.0)
        #expect(nameless == [])
        #expect(Set(theirs.joined()).count == theirs.joined().count)
    }

    @Test func partsOfATensorAreReadInOrder() throws {
        let directory = try TemporaryDirectory()
        let configuration = try smallConfiguration(.swin)
        let layout = layout("Transformers' Swin")
        let own = try tensors(of: configuration, in: nil, directory: directory)
        let url = try write(
            tensors(of: configuration, in: layout, directory: directory), configuration: configuration.json(),
            to: directory, "theirs")
        let file = try SafetensorsFile(contentsOf: url.appendingPathComponent("model.safetensors"))
        let source = try RenamedTensors(
            file, layout: layout, depths: configuration.depths, parameters: own.map { ($0.name, $0.shape) })
        for tensor in own {
            #expect(source.shape(of: tensor.name) == tensor.shape)
            #expect(try source.values(of: tensor.name) == tensor.values, "\(tensor.name)")
            try source.withValues(of: tensor.name) { #expect(Array($0) == tensor.values, "\(tensor.name)") }
        }
        #expect(source.shape(of: "none") == nil)
        #expect(throws: CheckpointError.missingTensor(file: file.sourceName, tensor: "none")) {
            try source.withValues(of: "none") { _ in }
        }
    }
}
