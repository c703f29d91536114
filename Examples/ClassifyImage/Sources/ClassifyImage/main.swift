import CETNet
import CETNetImaging

let model = try Model(path: CommandLine.arguments[1])
let predictions = try model.classify(.file(CommandLine.arguments[2]), top: 3)
for prediction in predictions { print(prediction) }
