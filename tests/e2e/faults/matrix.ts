/** Where a move stands still while the fault strikes, in order, and who stands still there. */
export const STEPS = {
  'intent written': 'control',
  'target prepared': 'control',
  'source started': 'control',
  'client told': 'control',
  /** The peers send media to a new address before they nominate it, as browsers do: nominated comes with it. */
  'path proven': 'source',
  frozen: 'source',
  'transfer sent': 'target',
  'accepted sent': 'source',
  'release sent': 'target',
  lingering: 'source',
} as const;
export type Step = keyof typeof STEPS;
export const STEP_NAMES = Object.keys(STEPS) as Step[];

export type Party = 'source' | 'target' | 'control';

/** How long what stops, or is cut off, stays away. */
export const AWAY_MS = 5_000;
/** A path or link that is cut for a moment. */
export const CUT_MS = 2_000;

export type Fault =
  | { readonly kind: 'kill'; readonly party: Party }
  /** SIGSTOP, and SIGCONT after AWAY_MS, or only when the cell has been judged. */
  | { readonly kind: 'stop'; readonly party: Party; readonly forEver: boolean }
  /** No packet passes between the two for `ms`. */
  | { readonly kind: 'cut'; readonly between: Link; readonly ms: number };
export type Link = 'source-target' | 'source-control' | 'target-control' | 'client-source' | 'client-target';

const PARTIES: readonly Party[] = ['source', 'target', 'control'];
export const FAULTS: readonly Fault[] = [
  ...PARTIES.map((party): Fault => ({ kind: 'kill', party })),
  ...PARTIES.map((party): Fault => ({ kind: 'stop', party, forEver: false })),
  ...PARTIES.map((party): Fault => ({ kind: 'stop', party, forEver: true })),
  { kind: 'cut', between: 'source-target', ms: CUT_MS },
  { kind: 'cut', between: 'source-control', ms: AWAY_MS },
  { kind: 'cut', between: 'target-control', ms: AWAY_MS },
  { kind: 'cut', between: 'client-source', ms: CUT_MS },
  { kind: 'cut', between: 'client-target', ms: CUT_MS },
];

export function nameOf(fault: Fault): string {
  switch (fault.kind) {
    case 'kill':
      return `kill -9 ${fault.party}`;
    case 'stop':
      return `SIGSTOP ${fault.party}${fault.forEver ? ' for good' : ` ${AWAY_MS / 1_000} s`}`;
    case 'cut':
      return `cut ${fault.between} ${fault.ms / 1_000} s`;
  }
}

/**
 * What became of the client's transport. `moved`: it lives on the target; `stayed`: on the source; `rejoined`: it was lost
 * with its node, and the client made another one by itself.
 */
export type Outcome = 'moved' | 'stayed' | 'rejoined';

export interface Cell {
  readonly step: Step;
  readonly fault: Fault;
}

/** From here on the target has what it needs, even if the source dies. */
const TRANSFERRED: readonly Step[] = ['transfer sent', 'accepted sent', 'release sent', 'lingering'];
/** The target has answered: it owns the transport. */
const ACCEPTED: readonly Step[] = ['accepted sent', 'release sent', 'lingering'];

/** Outcomes that the rules of a move allow in this cell. */
export function allowed({ step, fault }: Cell): readonly Outcome[] {
  // Control stands still at this step, the nodes do not: in some ms the move has ended, before or after the fault.
  if (step === 'client told') return [...new Set([...ruled(step, fault), ...ruled('lingering', fault)])];
  return ruled(step, fault);
}

function ruled(step: Step, fault: Fault): readonly Outcome[] {
  switch (fault.kind) {
    case 'kill':
      return afterLoss(step, fault.party);
    case 'stop':
      // What stands still for longer than control's patience is as good as dead, and no second owner when it wakes.
      return fault.forEver ? afterLoss(step, fault.party) : afterPause(step, fault.party);
    case 'cut':
      return ACCEPTED.includes(step) ? ['moved'] : ['moved', 'stayed'];
  }
}

function afterLoss(step: Step, party: Party): readonly Outcome[] {
  switch (party) {
    case 'source':
      return TRANSFERRED.includes(step) ? ['moved'] : ['rejoined'];
    case 'target':
      return ACCEPTED.includes(step) ? ['rejoined'] : ['stayed'];
    case 'control':
      return ACCEPTED.includes(step) ? ['moved'] : ['moved', 'stayed'];
  }
}

/** A client may be patient, or leave a node that has stood still. */
function afterPause(step: Step, party: Party): readonly Outcome[] {
  switch (party) {
    case 'source':
      return TRANSFERRED.includes(step) ? ['moved'] : ['rejoined'];
    case 'target':
      return ACCEPTED.includes(step) ? ['rejoined'] : ['stayed', 'moved'];
    case 'control':
      return afterLoss(step, party);
  }
}

/** Everything that can be driven, and makes a difference. */
export function allCells(): Cell[] {
  return FAULTS.flatMap((fault) => STEP_NAMES.map((step) => ({ step, fault })));
}

/** One cell of each kind that has its own code, for the ordinary tests. */
export function shortCells(): Cell[] {
  const kill = (party: Party): Fault => ({ kind: 'kill', party });
  const pause = (party: Party): Fault => ({ kind: 'stop', party, forEver: false });
  return [
    { step: 'path proven', fault: kill('source') },
    { step: 'transfer sent', fault: kill('source') },
    { step: 'path proven', fault: kill('target') },
    { step: 'transfer sent', fault: kill('target') },
    { step: 'release sent', fault: kill('target') },
    { step: 'client told', fault: kill('control') },
    { step: 'accepted sent', fault: kill('control') },
    { step: 'transfer sent', fault: pause('source') },
    { step: 'transfer sent', fault: { kind: 'cut', between: 'source-target', ms: CUT_MS } },
    { step: 'path proven', fault: { kind: 'cut', between: 'source-control', ms: AWAY_MS } },
  ];
}

/** What one cell showed. Times in ms. */
export interface CellResult {
  readonly step: Step;
  readonly fault: string;
  readonly allowed: readonly Outcome[];
  readonly outcome: Outcome | 'dead';
  /** Longest time in which the moving client, or the other one, received no packet. */
  readonly gapMs: number;
  /** Packets sent by either client and never received by the other. */
  readonly lost: number;
  /** Status of the migration, and why its move failed. */
  readonly migration: string;
  /** What signalling told the moving client. */
  readonly told: readonly string[];
  /** Everything that is wrong; empty in a good cell. */
  readonly wrong: readonly string[];
}
