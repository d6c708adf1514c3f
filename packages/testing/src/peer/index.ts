export type { Gap } from './gap-series.js';
export type { IceRemote } from './ice-client.js';
export type { AudioOptions, MediaSource, VideoOptions } from './media-source.js';
export { clockMs, MediaTransport, type MediaTransportHandler, type ServerEnd } from './media-transport.js';
export { Peer, type ObservedMove, type PeerOptions, type PublishOptions } from './peer.js';
export { ReceivedStream, type StreamReport } from './received-stream.js';
export type { PlainPacket } from './rtp-source.js';
export { RefusedRequest, SignallingClient } from './signalling-client.js';
