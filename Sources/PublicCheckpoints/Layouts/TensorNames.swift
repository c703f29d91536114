/// What a layout calls the tensors of this project.
struct TensorNames {
    private let modules: [String: [String]]

    init(_ layout: Layout, depths: [Int]) { modules = layout.names(depths: depths) }

    /// The layout's names of one tensor, or `nil` if it has none for it.
    subscript(name: String) -> [String]? {
        // A parameter that stands alone, or a module's weight, bias or statistic.
        if let names = modules[name] { return names }
        guard let dot = name.lastIndex(of: ".") else { return nil }
        return modules[String(name[..<dot])]?.map { $0 + name[dot...] }
    }
}
