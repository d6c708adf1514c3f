import type { VideoCodecName } from './properties.js';

const codecOf = ({ mimeType }: RTCRtpCodec): string => mimeType.toLowerCase().replace('video/', '');

/** Repair formats accompany a codec; they are never a choice of their own. */
const REPAIR_FORMATS: ReadonlySet<string> = new Set(['rtx', 'red', 'ulpfec', 'flexfec-03']);

/** The codecs in the wished order, the others behind them, repair formats last. */
export function orderCodecs(
  codecs: readonly RTCRtpCodec[],
  wished: readonly VideoCodecName[],
): RTCRtpCodec[] {
  const rank = (codec: RTCRtpCodec): number => {
    const name = codecOf(codec);
    if (REPAIR_FORMATS.has(name)) return wished.length + 1;
    const index = wished.indexOf(name as VideoCodecName);
    return index === -1 ? wished.length : index;
  };
  return [...codecs].sort((first, second) => rank(first) - rank(second));
}

/** Error correction, which no node ever sends. */
const CORRECTION_FORMATS: ReadonlySet<string> = new Set(['red', 'ulpfec', 'flexfec-03']);

/**
 * Codec preferences of a video receiver: all that can come. Firefox builds its receiver anew, with a key frame, whenever its
 * description lists other formats than before; and its answer to a restart offer lists no more than the platform does.
 */
export function receivableVideoCodecs(): RTCRtpCodec[] | undefined {
  const codecs = RTCRtpReceiver.getCapabilities('video')?.codecs;
  return codecs?.filter((codec) => !CORRECTION_FORMATS.has(codecOf(codec)));
}

/** Codec preferences for a video sender; undefined leaves the browser's order. */
export function videoCodecPreferences(
  wished: 'automatic' | readonly VideoCodecName[] | undefined,
): RTCRtpCodec[] | undefined {
  if (wished === undefined || wished === 'automatic' || wished.length === 0) return undefined;
  const codecs = RTCRtpReceiver.getCapabilities('video')?.codecs;
  return codecs === undefined ? undefined : orderCodecs(codecs, wished);
}
