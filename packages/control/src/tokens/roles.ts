import type { Capabilities } from '@godwit/protocol';

export const roles = ['subscriber', 'publisher', 'publisheronly', 'moderator'] as const;
export type Role = (typeof roles)[number];

export function isRole(value: unknown): value is Role {
  return (roles as readonly unknown[]).includes(value);
}

/** What a role allows on the wire. */
export function capabilitiesOf(role: Role): Capabilities {
  const may = (...allowed: readonly Role[]): 0 | 1 => (allowed.includes(role) ? 1 : 0);
  return {
    publish: may('publisher', 'publisheronly', 'moderator'),
    subscribe: may('subscriber', 'publisher', 'moderator'),
    forceDisconnect: may('moderator'),
    forceUnpublish: may('moderator'),
    forceMute: may('moderator'),
  };
}

/** Signals are for those who take part, not for those who watch. */
export function maySignal(role: Role): boolean {
  return role !== 'subscriber';
}
