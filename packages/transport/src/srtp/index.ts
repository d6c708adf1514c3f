export { IndexWindow } from './index-window.js';
export {
  GUARD_ABOVE_CEILING,
  GUARD_BELOW_FLOOR,
  GUARD_REUSED,
  type GuardRefusal,
  type IndexRange,
} from './nonce-guard.js';
export { PROFILE_SIZES, type ProfileSizes } from './profile.js';
export {
  SrtpReceiver,
  UNPROTECT_AUTHENTICATION_FAILED,
  UNPROTECT_REPLAYED,
  UNPROTECT_TOO_MANY_SSRCS,
  UNPROTECT_TOO_SHORT,
  type FrozenReceiver,
} from './srtp-receiver.js';
export { SrtpSender, type FrozenSender, type SrtpRefusal } from './srtp-sender.js';
