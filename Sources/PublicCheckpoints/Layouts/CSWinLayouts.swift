extension Layout {
    /// CSWin Transformer (arXiv 2107.00652) as its authors name it.
    static let cswin = [cswinOfItsAuthors]

    /// Stages count from 1, and the embedding that opens a stage has the number of the stage before.
    static let cswinOfItsAuthors = Layout(
        "the authors' CSWin Transformer", block: .cswin,
        ends: ["stages.0.embed.proj": "stage1_conv_embed.0", "stages.0.embed.norm": "stage1_conv_embed.2"]
            + same("norm", "head"),
        stage: { stage in
            guard stage > 0 else { return [:] }
            return [
                "stages.\(stage).embed.proj": "merge\(stage).conv", "stages.\(stage).embed.norm": "merge\(stage).norm",
            ]
        },
        blocks: { "stage\($0 + 1)" },
        blockNames: [
            "attn.qkv": "qkv", "attn.lepe.0": "attns.0.get_v", "attn.lepe.1": "attns.1.get_v", "attn.proj": "proj",
        ] + same("norm1", "norm2", "mlp.fc1", "mlp.fc2"))
}
