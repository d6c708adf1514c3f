import { z } from 'zod';

/** Unsigned integers as they appear on the wire. */
export const uint8: z.ZodNumber = z.number().int().min(0).max(0xff);
export const uint16: z.ZodNumber = z.number().int().min(0).max(0xffff);
export const uint32: z.ZodNumber = z.number().int().min(0).max(0xffffffff);
export const payloadType: z.ZodNumber = z.number().int().min(0).max(127);

export const mediaKind = z.enum(['audio', 'video']);
export type MediaKind = z.infer<typeof mediaKind>;

/** Ids of transports and streams are 16 lower-case hex digits: 64 random bits, 8 bytes in a link frame. */
export const id64 = z.string().regex(/^[0-9a-f]{16}$/, 'expected 16 hex digits');

/** RTP header extensions the platform knows, by our short name; the URIs are in the rtp package. */
export const headerExtensionName = z.enum([
  'mid',
  'rid',
  'repairedRid',
  'absSendTime',
  'transportCc',
  'audioLevel',
  'videoOrientation',
  'dependencyDescriptor',
  'playoutDelay',
  'videoContentType',
  'colorSpace',
]);
export type HeaderExtensionName = z.infer<typeof headerExtensionName>;

/** Extension name to the id negotiated for one m-line. */
export const headerExtensionIds = z.partialRecord(headerExtensionName, z.number().int().min(1).max(255));
export type HeaderExtensionIds = z.infer<typeof headerExtensionIds>;

/** A codec as negotiated with one peer. */
export const codecFormat = z.object({
  payloadType,
  /** Lower case: "opus", "red", "vp8", "vp9", "h264", "av1". */
  name: z.string().max(32),
  clockRate: z.number().int().positive(),
  channels: z.number().int().min(1).max(8).optional(),
  /** fmtp parameters as text, e.g. "minptime=10;useinbandfec=1". */
  parameters: z.string().max(512).optional(),
  rtxPayloadType: payloadType.optional(),
});
export type CodecFormat = z.infer<typeof codecFormat>;

/** What a node accepts from a publisher: one encoding of one stream. Numbers are the publisher's. */
export const ingressRule = z.object({
  streamId: id64,
  encodingId: uint8,
  kind: mediaKind,
  mid: z.string().max(32),
  rid: z.string().max(32).optional(),
  /** From the offer's a=ssrc lines; absent means: learn it by mid and rid. */
  ssrc: uint32.optional(),
  rtxSsrc: uint32.optional(),
  codecs: z.array(codecFormat).min(1).max(16),
  extensions: headerExtensionIds,
  nack: z.boolean(),
  keyFrameRequests: z.boolean(),
  transportCc: z.boolean(),
});
export type IngressRule = z.infer<typeof ingressRule>;

/** What a node sends to a subscriber: one encoding of one stream, rewritten for this transport. */
export const egressRule = z.object({
  streamId: id64,
  encodingId: uint8,
  kind: mediaKind,
  mid: z.string().max(32),
  /** Never given to another stream within the transport's life (nonces). */
  ssrc: uint32,
  rtxSsrc: uint32.optional(),
  clockRate: z.number().int().positive(),
  /** The publisher's payload type to the subscriber's, with the subscriber's RTX type where there is one. */
  payloadTypes: z
    .array(z.object({ from: payloadType, to: payloadType, rtx: payloadType.optional() }))
    .max(16),
  /** Extensions passed through: the publisher's id to the subscriber's. */
  extensions: z.array(z.object({ from: uint8, to: uint8 })).max(16),
  /** Written afresh at egress; absent where not negotiated. */
  absSendTimeId: uint8.optional(),
  transportCcId: uint8.optional(),
  enabled: z.boolean(),
});
export type EgressRule = z.infer<typeof egressRule>;

/** Where one stream enters the platform and which nodes need it. */
export const streamRoute = z.object({
  streamId: id64,
  /** Node that owns the publisher's transport. */
  ingressNodeId: z.string(),
  /** Grows with each owner; a receiver accepts two neighbouring epochs for a short while. */
  ingressEpoch: uint32,
  encodings: z
    .array(z.object({ encodingId: uint8, kind: mediaKind, clockRate: z.number().int().positive() }))
    .max(8),
  /** Nodes with at least one subscriber, or one about to arrive. */
  consumerNodeIds: z.array(z.string()).max(256),
  /** While the publisher's transport moves: frames of those who may come to own it are accepted already. */
  upcomingIngresses: z
    .array(z.object({ nodeId: z.string(), epoch: uint32 }))
    .max(2)
    .optional(),
});
export type StreamRoute = z.infer<typeof streamRoute>;

export const iceCredentials = z.object({
  ufrag: z.string().min(4).max(256),
  pwd: z.string().min(22).max(256),
});
export type IceCredentials = z.infer<typeof iceCredentials>;

export const dtlsFingerprint = z.object({ algorithm: z.string().max(16), value: z.string().max(256) });
export type DtlsFingerprint = z.infer<typeof dtlsFingerprint>;

export const dtlsSetup = z.enum(['active', 'passive', 'actpass']);
export type DtlsSetup = z.infer<typeof dtlsSetup>;

/** One advertised address of a node's pool. */
export const poolAddress = z.object({ address: z.string(), port: uint16, family: z.enum(['IPv4', 'IPv6']) });
export type PoolAddress = z.infer<typeof poolAddress>;
