import type { LinkId, PathId } from '@godwit/datapath';
import type { Binding } from './remotes.js';

/**
 * How a client's packet came here: by a socket of ours, through another node, or back from a node to which we had
 * sent it. A bounced packet is never sent on again.
 */
export type Origin =
  | Binding
  | { readonly kind: 'link'; readonly linkId: LinkId; readonly pathId: PathId }
  | { readonly kind: 'bounced'; readonly linkId: LinkId };
