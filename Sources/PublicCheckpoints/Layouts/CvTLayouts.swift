extension Layout {
    /// CvT (arXiv 2103.15808) as its authors and Transformers name it.
    static let cvt = [cvtOfItsAuthors, cvtOfTransformers]

    private static let lastStage = 2

    static let cvtOfItsAuthors = Layout(
        "the authors' CvT", block: .cvt,
        ends: ["cls_token": "stage\(lastStage).cls_token"] + same("norm", "head"),
        stage: { stage in
            [
                "stages.\(stage).embed.proj": "stage\(stage).patch_embed.proj",
                "stages.\(stage).embed.norm": "stage\(stage).patch_embed.norm",
            ]
        },
        blocks: { "stage\($0).blocks" },
        blockNames: same(
            "norm1",
            "attn.conv_proj_q.conv", "attn.conv_proj_q.bn", "attn.proj_q",
            "attn.conv_proj_k.conv", "attn.conv_proj_k.bn", "attn.proj_k",
            "attn.conv_proj_v.conv", "attn.conv_proj_v.bn", "attn.proj_v",
            "attn.proj", "norm2", "mlp.fc1", "mlp.fc2"))

    static let cvtOfTransformers = Layout(
        "Transformers' CvT", block: .cvt,
        ends: [
            "cls_token": "cvt.encoder.stages.\(lastStage).cls_token", "norm": "layernorm", "head": "classifier",
        ],
        stage: { stage in
            let embedding = "cvt.encoder.stages.\(stage).embedding.convolution_embeddings"
            return [
                "stages.\(stage).embed.proj": "\(embedding).projection",
                "stages.\(stage).embed.norm": "\(embedding).normalization",
            ]
        },
        blocks: { "cvt.encoder.stages.\($0).layers" },
        blockNames: [
            "norm1": "layernorm_before",
            "attn.proj": "attention.output.dense",
            "norm2": "layernorm_after",
            "mlp.fc1": "intermediate.dense", "mlp.fc2": "output.dense",
        ] + projection("q", "query") + projection("k", "key") + projection("v", "value"))

    /// A convolutional projection: depthwise convolution, BatchNorm, linear layer.
    private static func projection(_ letter: String, _ word: String) -> [String: String] {
        let convolution = "attention.attention.convolution_projection_\(word).convolution_projection"
        return [
            "attn.conv_proj_\(letter).conv": "\(convolution).convolution",
            "attn.conv_proj_\(letter).bn": "\(convolution).normalization",
            "attn.proj_\(letter)": "attention.attention.projection_\(word)",
        ]
    }
}
