extension Layout {
    /// Pyramid Vision Transformer (arXiv 2102.12122) as its authors and Transformers name it.
    static let pvt = [pvtOfItsAuthors, pvtOfTransformers]

    /// Stages count from 1.
    static let pvtOfItsAuthors = Layout(
        "the authors' PVT", block: .pvt,
        ends: same("cls_token", "norm", "head"),
        stage: { stage in
            [
                "stages.\(stage).embed.proj": "patch_embed\(stage + 1).proj",
                "stages.\(stage).embed.norm": "patch_embed\(stage + 1).norm",
            ] + same("pos_embed\(stage + 1)")
        },
        blocks: { "block\($0 + 1)" },
        blockNames: same(
            "norm1", "attn.q", "attn.kv", "attn.sr", "attn.norm", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2"))

    /// The class token belongs to the last stage's embedding.
    static let pvtOfTransformers = Layout(
        "Transformers' PVT", block: .pvt,
        ends: ["cls_token": "pvt.encoder.patch_embeddings.3.cls_token", "norm": "pvt.encoder.layer_norm"]
            + ["head": "classifier"],
        stage: { stage in
            let embedding = "pvt.encoder.patch_embeddings.\(stage)"
            return [
                "stages.\(stage).embed.proj": "\(embedding).projection",
                "stages.\(stage).embed.norm": "\(embedding).layer_norm",
                "pos_embed\(stage + 1)": "\(embedding).position_embeddings",
            ]
        },
        blocks: { "pvt.encoder.block.\($0)" },
        blockNames: [
            "norm1": "layer_norm_1",
            "attn.q": "attention.self.query",
            "attn.sr": "attention.self.sequence_reduction", "attn.norm": "attention.self.layer_norm",
            "attn.proj": "attention.output.dense",
            "norm2": "layer_norm_2",
            "mlp.fc1": "mlp.dense1", "mlp.fc2": "mlp.dense2",
        ],
        packedBlockNames: ["attn.kv": ["attention.self.key", "attention.self.value"]])
}
