/** Profile of H.264 and its level, from profile-level-id (RFC 6184 8.1). */
export interface H264Profile {
  readonly profile: string;
  /** Ten times the level, 9 for level 1b. */
  readonly level: number;
}

/** Baseline at level 1 is inferred where the parameter is absent (RFC 6184 8.1). */
const DEFAULT_PROFILE_LEVEL_ID = '42000a';
const LEVEL_1B = 9;
const CONSTRAINT_SET_3 = 0x10;

/** Which constraint bits of a profile_idc mean which profile (RFC 6184 table 5). */
const PROFILES: readonly { idc: number; mask: number; bits: number; profile: string }[] = [
  { idc: 0x42, mask: 0x4f, bits: 0x40, profile: 'constrained-baseline' },
  { idc: 0x4d, mask: 0x8f, bits: 0x80, profile: 'constrained-baseline' },
  { idc: 0x58, mask: 0xcf, bits: 0xc0, profile: 'constrained-baseline' },
  { idc: 0x42, mask: 0x4f, bits: 0x00, profile: 'baseline' },
  { idc: 0x58, mask: 0xcf, bits: 0x80, profile: 'baseline' },
  { idc: 0x4d, mask: 0xaf, bits: 0x00, profile: 'main' },
  { idc: 0x58, mask: 0xcf, bits: 0x00, profile: 'extended' },
  { idc: 0x64, mask: 0xff, bits: 0x00, profile: 'high' },
  { idc: 0x64, mask: 0xff, bits: 0x0c, profile: 'constrained-high' },
];

/** Null when the parameter is malformed. Profiles outside the table are named by their bytes. */
export function parseH264Profile(profileLevelId: string | undefined): H264Profile | null {
  const text = profileLevelId ?? DEFAULT_PROFILE_LEVEL_ID;
  if (!/^[0-9a-fA-F]{6}$/.test(text)) return null;
  const idc = parseInt(text.slice(0, 2), 16);
  const constraints = parseInt(text.slice(2, 4), 16);
  const levelIdc = parseInt(text.slice(4), 16);
  const known = PROFILES.find((entry) => entry.idc === idc && (constraints & entry.mask) === entry.bits);
  // Level 1b of the older profiles is level 11 with constraint_set3 (H.264 A.3).
  const is1b = levelIdc === 11 && (constraints & CONSTRAINT_SET_3) !== 0 && [0x42, 0x4d, 0x58].includes(idc);
  return { profile: known?.profile ?? text.slice(0, 4).toLowerCase(), level: is1b ? LEVEL_1B : levelIdc };
}
