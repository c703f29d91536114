// `import CETNet` is enough: what a program meets in the signatures of `Model` comes with it, and nothing else.
@_exported public import enum CETNetCheckpoint.CheckpointError
@_exported public import enum CETNetCheckpoint.ElementType
@_exported public import struct CETNetCheckpoint.ShapeMismatch
@_exported public import struct CETNetCheckpoint.SystemError
@_exported public import enum CETNetEngine.Backend
@_exported public import struct CETNetEngine.BackendError
@_exported public import enum CETNetGraph.Activation
@_exported public import struct CETNetGraph.ImageSize
@_exported public import enum CETNetGraph.Precision
@_exported public import struct CETNetKernels.KernelTierError
@_exported public import enum CETNetNetworks.ConfigurationError
@_exported public import struct CETNetNetworks.ModelConfiguration
@_exported public import struct CETNetNetworks.Variant
@_exported public import struct CETNetPreprocessing.PixelBuffer
@_exported public import enum CETNetPreprocessing.PixelFormat
@_exported public import struct CETNetPreprocessing.PreprocessConfiguration
@_exported public import enum CETNetPreprocessing.PreprocessingError
