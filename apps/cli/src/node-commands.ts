import type { Command } from 'commander';

interface Flags {
  readonly json?: boolean;
}
const outputOf = ({ json }: Flags): { readonly json: boolean } => ({ json: json === true });

/** `godwit nodes …`: the media nodes, and when they are to end. */
export function addNodeCommands(program: Command): void {
  const nodes = program
    .command('nodes')
    .description('list the media nodes')
    .option('--json', 'print JSON')
    .action(async (flags: Flags) => {
      const { listNodes } = await import('./commands/nodes.js');
      await listNodes(outputOf(flags));
    });
  nodes
    .command('plan-end')
    .description('say when a node is to end: its sessions are told 4 hours and 1 hour ahead')
    .argument('<nodeId>')
    .option('--in <duration>', 'from now, such as 90m, 4h or 2d')
    .option('--at <time>', 'at a time with its zone, such as 2026-12-01T03:00:00Z')
    .option('--reason <text>', 'for whoever lists the nodes')
    .action(
      async (nodeId: string, flags: { in?: string; at?: string; reason?: string }, command: Command) => {
        const { planEnd } = await import('./commands/nodes.js');
        await planEnd(nodeId, { ...flags, ...outputOf(command.optsWithGlobals()) });
      },
    );
  nodes
    .command('keep')
    .description('take a planned end back')
    .argument('<nodeId>')
    .action(async (nodeId: string, _flags: Flags, command: Command) => {
      const { keepNode } = await import('./commands/nodes.js');
      await keepNode(nodeId, outputOf(command.optsWithGlobals()));
    });
}
