import CETNetGraph

extension ModelConfiguration {
    /// Whether tokens get trained position embeddings: in PVT, but not in its convolutional embedding form, whose
    /// convolutions tell positions apart.
    var hasPositionEmbeddings: Bool { block == .pvt && !embeddings.contains(.ce) }

    /// The stage that a class token joins, which is then what classification reads: the last one of CvT, and of PVT
    /// where it has position embeddings. `nil` if classification reads the mean over all tokens.
    var classTokenStage: Int? {
        block == .cvt || hasPositionEmbeddings ? block.stageCount - 1 : nil
    }

    /// The map of a stage for the image size that the model was trained with.
    fileprivate func trainedGrid(stage: Int) -> ImageSize {
        var side = imageSize
        for index in 0...stage {
            let stride = index == 0 ? 4 : 2
            side =
                switch embeddings[index] {
                case .ce, .merge: (side + stride - 1) / stride
                case .conv: index == 0 ? (side - 3) / 4 + 1 : (side + 1) / 2
                case .patch: side / stride
                }
        }
        return ImageSize(square: side)
    }
}

extension GraphBuilder {
    /// Appends to a stage's embedded tokens what else its blocks see: a class token, position embeddings.
    mutating func stageTokens(_ input: ValueID, _ stage: Stage) -> ValueID {
        let configuration = stage.configuration
        var x = input
        if configuration.classTokenStage == stage.index {
            x = append(
                "cls_token", .appendClassToken(ClassToken(name: "cls_token", channels: stage.channels)), [x])
        }
        if configuration.hasPositionEmbeddings {
            let positions = PositionEmbedding(
                name: "pos_embed\(stage.index + 1)", channels: stage.channels,
                grid: configuration.trainedGrid(stage: stage.index), classTokens: shape(of: x).classTokens)
            x = append(positions.parameter.name, .positionEmbedding(positions), [x])
        }
        return x
    }
}
