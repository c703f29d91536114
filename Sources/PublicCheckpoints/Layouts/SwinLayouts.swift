extension Layout {
    /// Swin Transformer (arXiv 2103.14030) as its authors, timm, torchvision and Transformers name it.
    static let swin = [swinOfItsAuthors, swinOfTimm, swinOfTorchvision, swinOfTransformers]

    private static let attentionAndNorms = same(
        "norm1", "attn.qkv", "attn.proj", "attn.relative_position_bias_table", "norm2")
    private static let mlp = same("mlp.fc1", "mlp.fc2")
    private static let patches = [
        "stages.0.embed.proj": "patch_embed.proj", "stages.0.embed.norm": "patch_embed.norm",
    ]

    /// Patch merging, which opens every stage but the first.
    private static func merging(_ stage: Int, _ theirs: String) -> [String: String] {
        guard stage > 0 else { return [:] }
        return [
            "stages.\(stage).embed.norm": "\(theirs).norm", "stages.\(stage).embed.reduction": "\(theirs).reduction",
        ]
    }

    /// Patch merging closes the stage before.
    static let swinOfItsAuthors = Layout(
        "the authors' Swin Transformer", block: .swin,
        ends: patches + same("norm", "head"),
        stage: { merging($0, "layers.\($0 - 1).downsample") },
        blocks: { "layers.\($0).blocks" },
        blockNames: attentionAndNorms + mlp)

    static let swinOfTimm = Layout(
        "timm's Swin Transformer", block: .swin,
        ends: patches + ["norm": "norm", "head": "head.fc"],
        stage: { merging($0, "layers.\($0).downsample") },
        blocks: { "layers.\($0).blocks" },
        blockNames: attentionAndNorms + mlp)

    /// Everything is a list in a list: patches, a stage, merging, a stage, …
    static let swinOfTorchvision = Layout(
        "torchvision's Swin Transformer", block: .swin,
        ends: ["stages.0.embed.proj": "features.0.0", "stages.0.embed.norm": "features.0.2"] + same("norm", "head"),
        stage: { merging($0, "features.\(2 * $0)") },
        blocks: { "features.\(2 * $0 + 1)" },
        blockNames: attentionAndNorms + ["mlp.fc1": "mlp.0", "mlp.fc2": "mlp.3"])

    static let swinOfTransformers = Layout(
        "Transformers' Swin", block: .swin,
        ends: [
            "stages.0.embed.proj": "swin.embeddings.patch_embeddings.projection",
            "stages.0.embed.norm": "swin.embeddings.norm", "norm": "swin.layernorm", "head": "classifier",
        ],
        stage: { merging($0, "swin.encoder.layers.\($0 - 1).downsample") },
        blocks: { "swin.encoder.layers.\($0).blocks" },
        blockNames: [
            "norm1": "layernorm_before",
            "attn.relative_position_bias_table": "attention.self.relative_position_bias_table",
            "attn.proj": "attention.output.dense",
            "norm2": "layernorm_after",
            "mlp.fc1": "intermediate.dense", "mlp.fc2": "output.dense",
        ],
        packedBlockNames: [
            "attn.qkv": ["attention.self.query", "attention.self.key", "attention.self.value"]
        ])
}
