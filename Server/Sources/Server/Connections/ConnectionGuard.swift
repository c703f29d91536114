import Hummingbird
import NIOCore
import NIOHTTPTypes
import Synchronization

/// Watches one connection: closes it when a request or an answer takes too long on the way, tells a request that its
/// client has gone, and asks for bodies that wait to be asked for.
///
/// A connection without a request is Hummingbird's to close, after its idle timeout.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let timeout: TimeAmount
    /// Closes the connection unless the request, or the answer, is over by then.
    private var arriving: Scheduled<Void>?
    private var leaving: Scheduled<Void>?
    private var isGone = false
    private var whenGone: (@Sendable () -> Void)?

    init(timeout: Duration) { self.timeout = TimeAmount(timeout) }

    /// Calls `action` if the client goes away before the answer to the present request is on its way.
    ///
    /// On the connection's event loop only.
    func whenGone(_ action: @escaping @Sendable () -> Void) {
        if isGone { action() } else { whenGone = action }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            arriving = closing(context)
            if head.headerFields[.expect]?.lowercased() == "100-continue" {
                context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
            }
        case .body: break
        case .end: arriving?.cancel()
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head) where head.status.kind != .informational:
            leaving?.cancel()
            leaving = closing(context)
            whenGone = nil
        case .end:
            let promise = promise ?? context.eventLoop.makePromise()
            let leaving = leaving
            promise.futureResult.assumeIsolated().whenComplete { _ in leaving?.cancel() }
            return context.write(data, promise: promise)
        default: break
        }
        context.write(data, promise: promise)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { goneAway() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        goneAway()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        arriving?.cancel()
        leaving?.cancel()
    }

    private func goneAway() {
        isGone = true
        whenGone?()
        whenGone = nil
    }

    private func closing(_ context: ChannelHandlerContext) -> Scheduled<Void> {
        context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { context.close(promise: nil) }
    }
}

/// What an endpoint knows of a request beside the request.
struct ServerContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    private let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }

    /// Does work for the client, and cancels it when the client goes away.
    func whileConnected<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let task = Task { try await work() }
        do {
            try await channel.eventLoop.submit { [channel] in
                try channel.pipeline.syncOperations.handler(type: ConnectionGuard.self).whenGone { task.cancel() }
            }.get()
        } catch {
            // The connection is closed, its handlers are gone.
            task.cancel()
        }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }
}
