import NIOCore
import NIOHTTP1

/// The types of the HTTP codecs, made known to the runtime while there is one thread.
///
/// Generic types are made when they are first needed. When two event loops needed these at the same moment, for the first connections
/// after a start, the runtime's look-up by name crashed (Swift 6.3, seen once in some hundred starts of a debug build).
enum CodecTypes {
    /// Makes one of each. Call it before anything connects or is connected to.
    static func prepare() {
        let made: [any ChannelHandler] = [
            HTTPRequestEncoder(), ByteToMessageHandler(HTTPResponseDecoder()),
        ]
        let parts: [Any.Type] = [HTTPClientRequestPart.self, HTTPClientResponsePart.self]
        withExtendedLifetime((made, parts)) {}
    }
}
