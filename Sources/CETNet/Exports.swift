// `import CETNet` is enough: what a program meets in the signatures of `Model` comes with it.
@_exported public import CETNetCheckpoint
@_exported public import CETNetEngine
@_exported public import CETNetGraph
@_exported public import CETNetKernels
@_exported public import CETNetNetworks
@_exported public import CETNetPreprocessing
