import CETNetCheckpoint
import CETNetEngine
import CETNetGraph
import CETNetNetworks
import CETNetKernels
import CETNetPreprocessing

// What a program needs beside `Model`, so that `import CETNet` is enough.

/// What a model is: the contents of a `config.json`.
public typealias ModelConfiguration = CETNetNetworks.ModelConfiguration
/// How images are prepared for a model.
public typealias PreprocessConfiguration = CETNetPreprocessing.PreprocessConfiguration
/// A configuration that cannot be used.
public typealias ConfigurationError = CETNetNetworks.ConfigurationError
/// A model of the paper, known by name.
public typealias Variant = CETNetNetworks.Variant
/// Height and width in pixels.
public typealias ImageSize = CETNetGraph.ImageSize
/// Which code multiplies matrices.
public typealias Backend = CETNetEngine.Backend
/// 8-bit pixels in memory.
public typealias PixelBuffer = CETNetPreprocessing.PixelBuffer
/// The order of the channels in a ``PixelBuffer``.
public typealias PixelFormat = CETNetPreprocessing.PixelFormat
/// An image that cannot be prepared.
public typealias PreprocessingError = CETNetPreprocessing.PreprocessingError
/// A weights file that cannot be read.
public typealias CheckpointError = CETNetCheckpoint.CheckpointError
/// The environment variable `CETNET_KERNELS` asks for instructions that this machine cannot run.
public typealias KernelTierError = CETNetKernels.KernelTierError
