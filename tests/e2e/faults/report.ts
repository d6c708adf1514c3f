import { allCells, FAULTS, nameOf, STEP_NAMES, STEPS, type CellResult } from './matrix.js';

export interface ReportFacts {
  readonly date: string;
  readonly command: string;
  readonly machine: string;
  readonly minutes: number;
}

/** docs/reports/faults.md: what each fault at each step did to a live call. */
export function faultsReport(results: readonly CellResult[], facts: ReportFacts): string {
  const wrong = results.filter((result) => result.wrong.length > 0);
  return [
    INTRODUCTION,
    setupTable(results, facts),
    MEANINGS,
    '## Where the call lives, and what it cost\n',
    'Each cell: outcome, longest time without a packet at either client (ms), packets lost of both directions. A name in\nbold is not what the rules allow.\n',
    ...FAULTS.map((fault) => faultTable(nameOf(fault), results)),
    '## What is wrong\n',
    wrong.length === 0 ? 'No cell.\n' : wrong.map(complaint).join(''),
  ].join('\n');
}

const INTRODUCTION = `# Faults during a move, measured

Each cell moves a live call, stops one process where the move has come to a step (between two statements, by a SIGSTOP that the
process sends to itself), lets a fault strike, and lets the stopped process go on. What is asserted in every cell: the outcome is
one that the rules allow; media flows both ways at the end; the migration has ended; roster and nodes agree about the owner of each
transport; nobody but the moving client lost anything for good; no nonce was used for two ciphertexts, neither in a capture of all
that the nodes sent nor at the receivers.
`;

const MEANINGS = `| outcome    | means                                                                                              |
| ---------- | -------------------------------------------------------------------------------------------------- |
| \`moved\`    | the transport lives on the target; the client noticed nothing but the gap                          |
| \`stayed\`   | the move failed or was given up by name; the transport lives on the source                         |
| \`rejoined\` | the transport was lost with its node; the client made another one by itself, ids and streams stayed |

The two clients are peers of \`packages/testing\` that do what the SDK does: real signalling, ICE, DTLS and SRTP, 50 audio and 90 video
packets a second each way. The moving one is on the source, the other one on a third node. A gap of a rejoin is a loss and
is reported as one: about 2 s until control counts a node as missing, a second of which the client hears nothing, and the new handshake.
`;

function setupTable(
  results: readonly CellResult[],
  { date, command, machine, minutes }: ReportFacts,
): string {
  const rows = [
    ['date', date],
    ['command', command],
    ['machine', machine],
    ['cells', `${results.length} of ${allCells().length}, in ${minutes} minutes`],
    ['outcomes as the rules allow', `${results.filter(({ wrong }) => wrong.length === 0).length}`],
  ];
  return [
    '|     |     |',
    '| --- | --- |',
    ...rows.map(([name, value]) => `| ${name} | ${value} |`),
    '',
  ].join('\n');
}

function faultTable(fault: string, results: readonly CellResult[]): string {
  const rows = STEP_NAMES.flatMap((step) => {
    const result = results.find((each) => each.fault === fault && each.step === step);
    return result === undefined ? [] : [rowOf(result)];
  });
  if (rows.length === 0) return '';
  const head = ['step', 'who stands still', 'outcome', 'gap ms', 'lost', 'migration', 'the client was told'];
  return [
    `### ${fault}\n`,
    `| ${head.join(' | ')} |`,
    `| ${head.map(() => '---').join(' | ')} |`,
    ...rows,
    '',
  ].join('\n');
}

function rowOf({ step, outcome, gapMs, lost, migration, told, wrong }: CellResult): string {
  const name = wrong.length === 0 ? outcome : `**${outcome}**`;
  const heard = [...new Set(told)].join(', ');
  return `| ${step} | ${STEPS[step]} | ${name} | ${gapMs} | ${lost} | ${migration} | ${heard} |`;
}

const complaint = ({ step, fault, wrong }: CellResult): string =>
  `- ${step}, ${fault}: ${wrong.join('; ')}\n`;
