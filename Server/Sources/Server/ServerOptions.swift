public import CETNet

/// How a server works and what it lets strangers ask for. Every bound has a default that suits one machine and images of
/// some megapixels; Documentation/Server.md says how to choose others.
public struct ServerOptions: Sendable {
    /// Threads that compute, of all models together: decoding and running. `nil`: every CPU that the process may use.
    public var threads: Int?
    /// What models are computed in; `nil`: what the configuration of each says, float32 unless it is quantised.
    public var precision: Precision?

    /// The most images that run together.
    public var largestBatch = 8
    /// How long an image that is ready may wait for others that are still being decoded to share its run.
    public var longestWait: Duration = .milliseconds(5)
    /// The most images that wait, over all models. Requests beyond it are refused at once, with status 503.
    public var queueCapacity = 256
    /// How long a request may take from its arrival to its answer.
    public var requestTimeout: Duration = .seconds(30)

    /// Bytes of a request's body.
    public var largestBody = 64 << 20
    /// Bytes of a request's headers, all together.
    public var largestHeader = 16 << 10
    /// Pixels of an image that is decoded.
    public var largestImage = 1 << 25
    /// Pixels of an image that comes as a tensor, or the model's own size where that is more. Working memory grows with it.
    public var largestTensor = 1 << 18
    /// Connections at the same time; more wait to be accepted.
    public var largestConnectionCount = 4096
    /// How long a request may take to arrive, an answer to be taken.
    public var transferTimeout: Duration = .seconds(30)
    /// How long a connection may stay without a request.
    public var idleTimeout: Duration = .seconds(60)

    /// What `Authorization: Bearer …` must hold; `nil` lets everybody in.
    public var token: String?

    /// The defaults.
    public init() {}
}
