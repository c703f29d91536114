/// A CETNet that runs in a moment: all its parts, few channels, seven labels.
public enum TinyModel {
    public static let labelCount = 7
    public static let imageSize = 64

    /// The text of its `config.json`.
    public static let configurationJSON = """
        {
          "model_type": "cetnet", "variant": "cetnet-t", "dims": [32, 64, 96, 128], "depths": [1, 1, 2, 1],
          "num_heads": [1, 2, 3, 4], "stem_channels": [8, 16], "image_size": \(imageSize), "num_labels": \(labelCount),
          "id2label": {"0": "zero", "1": "one", "2": "two", "3": "three", "4": "four", "5": "five", "6": "six, \\"or\\" 6"}
        }
        """

    /// Numbers in −2...2 that vary from place to place and with the seed.
    public static func pixels(_ count: Int, seed: Int) -> [Float] {
        var generator = SeededGenerator(seed: seed)
        return generator.values(count, scale: 2)
    }
}
