import CETNetGraph

extension ModelConfiguration {
    /// The patches of a stage for the image size that the model was trained with.
    fileprivate func trainedGrid(stage: Int) -> ImageSize {
        ImageSize(square: (0...stage).reduce(imageSize) { side, index in side / (index == 0 ? 4 : 2) })
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
