/** abs-send-time counts seconds as 6.18 fixed point, 24 bits: it wraps every 64 s. */
const ABS_SEND_TIME_UNITS_PER_SECOND = 2 ** 18;
const ABS_SEND_TIME_MODULUS = 2 ** 24;
const ABS_SEND_TIME_WRAP_MICROS = 64_000_000;
/** Data length of abs-send-time, bytes. */
export const ABS_SEND_TIME_BYTES = 3;
/** Data length of the transport-wide sequence number, bytes. */
export const TRANSPORT_CC_BYTES = 2;

/** Microseconds of any clock (not negative) as the 24-bit value of abs-send-time. */
export function toAbsSendTime(micros: number): number {
  const withinWrap = micros % ABS_SEND_TIME_WRAP_MICROS;
  return Math.floor((withinWrap * ABS_SEND_TIME_UNITS_PER_SECOND) / 1_000_000) % ABS_SEND_TIME_MODULUS;
}

/** Microseconds within the 64 s wrap. */
export function absSendTimeMicros(value: number): number {
  return (value * 1_000_000) / ABS_SEND_TIME_UNITS_PER_SECOND;
}

/** Microseconds from one value to another, -32 s..32 s. */
export function absSendTimeDistanceMicros(from: number, to: number): number {
  const steps = ((to - from) << 8) >> 8;
  return (steps * 1_000_000) / ABS_SEND_TIME_UNITS_PER_SECOND;
}

/** Client-to-mixer audio level (RFC 6464). */
export interface AudioLevel {
  /** Level below full scale: 0 is the loudest, 127 silence (-dBov). */
  readonly attenuationDb: number;
  /** What the sender's voice detection said; meaningless when it was not negotiated (vad=off). */
  readonly voice: boolean;
}
export function decodeAudioLevel(byte: number): AudioLevel {
  return { attenuationDb: byte & 0x7f, voice: (byte & 0x80) !== 0 };
}
export function encodeAudioLevel(level: AudioLevel): number {
  return (level.attenuationDb & 0x7f) | (level.voice ? 0x80 : 0);
}

/** Coordination of video orientation (3GPP TS 26.114 7.4.5). */
export interface VideoOrientation {
  readonly backCamera: boolean;
  /** Mirrored horizontally before the rotation. */
  readonly flip: boolean;
  /** How far the receiver turns the picture clockwise, degrees. */
  readonly rotation: 0 | 90 | 180 | 270;
}
const ROTATIONS = [0, 90, 180, 270] as const;

export function decodeVideoOrientation(byte: number): VideoOrientation {
  return {
    backCamera: (byte & 0x08) !== 0,
    flip: (byte & 0x04) !== 0,
    rotation: ROTATIONS[byte & 0x03] ?? 0,
  };
}
export function encodeVideoOrientation(orientation: VideoOrientation): number {
  return (
    (orientation.backCamera ? 0x08 : 0) |
    (orientation.flip ? 0x04 : 0) |
    ROTATIONS.indexOf(orientation.rotation)
  );
}
