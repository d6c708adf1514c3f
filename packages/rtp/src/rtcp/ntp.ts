/** NTP timestamp (RFC 3550 4): seconds since 1900 modulo 2^32, and 2^-32 fractions of a second. */
export interface NtpTime {
  readonly seconds: number;
  readonly fraction: number;
}

/** Seconds from 1900-01-01 to 1970-01-01. */
const UNIX_EPOCH_IN_NTP_SECONDS = 2_208_988_800;
const TWO_32 = 2 ** 32;
/** Seconds below this belong to era 1, which begins in 2036 (RFC 4330 3). */
const ERA_0_SECONDS_MIN = 2 ** 31;

/** Milliseconds since 1970 (fractions allowed) as NTP time. */
export function toNtpTime(unixMs: number): NtpTime {
  const unixSeconds = Math.floor(unixMs / 1_000);
  const fraction = Math.floor(((unixMs - unixSeconds * 1_000) / 1_000) * TWO_32);
  return { seconds: (unixSeconds + UNIX_EPOCH_IN_NTP_SECONDS) % TWO_32, fraction };
}

/** Milliseconds since 1970; the era is taken so that the time lies between 1968 and 2104. */
export function ntpTimeToUnixMs(ntp: NtpTime): number {
  const era = ntp.seconds < ERA_0_SECONDS_MIN ? TWO_32 : 0;
  return (ntp.seconds + era - UNIX_EPOCH_IN_NTP_SECONDS) * 1_000 + (ntp.fraction / TWO_32) * 1_000;
}

/** The middle 32 bits, as report blocks carry them: units of 1/65536 s, modulo 18.2 h. */
export function compactNtp(ntp: NtpTime): number {
  return (ntp.seconds % 0x10000) * 0x10000 + Math.floor(ntp.fraction / 0x10000);
}

/** A duration in units of 1/65536 s, clamped to the field. */
export function toCompactDuration(ms: number): number {
  return Math.min(Math.max(Math.round((ms * 0x10000) / 1_000), 0), 0xffffffff);
}
export function compactDurationToMs(duration: number): number {
  return (duration * 1_000) / 0x10000;
}

/**
 * Round-trip time from a report block (RFC 3550 6.4.1), ms. Null when the peer has had no sender report from us yet,
 * or when its numbers would give a negative time.
 */
export function roundTripMs(
  now: NtpTime,
  report: { readonly lastSenderReport: number; readonly delaySinceLastSenderReport: number },
): number | null {
  if (report.lastSenderReport === 0) return null;
  const elapsed = (compactNtp(now) - report.lastSenderReport - report.delaySinceLastSenderReport) | 0;
  return elapsed < 0 ? null : compactDurationToMs(elapsed);
}
