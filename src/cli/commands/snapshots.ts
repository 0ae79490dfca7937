import type { Command } from '@commander-js/extra-typings';
import type { Method } from '../parts/client.ts';
import { type Context, type Run, watchOption } from '../parts/context.ts';
import { formatAge, formatTable } from '../parts/format.ts';
import { flagAt, fullNameAt, listAt, textAt } from '../parts/json.ts';
import { proofWords } from '../parts/outcomes.ts';
import { pathOf, startRun } from '../parts/runs.ts';
import { fitted } from '../parts/terminal.ts';
import { tool } from '../parts/tool.ts';

export function addSnapshotCommands(program: Command, run: Run): void {
  program
    .command('snapshots')
    .description('list the snapshots of both hubs, newest first')
    .option('--all', 'all of them; without it as many as the screen has room for')
    .action(run((context, { all }) => listSnapshots(context, all === true)));
  program
    .command('verify <id>')
    .description('read a snapshot again: every checksum and every record')
    .option(...watchOption)
    .action(
      run((context, id, { watch }) =>
        startRun(context, { collection: 'verifications', path: `${pathOf('snapshots', id)}/verify` }, watch),
      ),
    );
  program
    .command('accept <id>')
    .description('from now on, judge snapshots by the counts of this suspect one')
    .action(
      run(async ({ client, show }, id) => {
        const body = await client.call('POST', `${pathOf('snapshots', id)}/accept`);
        show(
          body,
          `${textAt(body, 'id') ?? id} is accepted: the next backup like it is good. Take it now: ${tool} backup --watch\n`,
        );
      }),
    );
  program
    .command('pin <id>')
    .description('keep a snapshot beyond its retention')
    .action(run((context, id) => setPin(context, 'PUT', id)));
  program
    .command('unpin <id>')
    .description('return a snapshot to its retention')
    .action(run((context, id) => setPin(context, 'DELETE', id)));
}

async function listSnapshots({ client, terminal, show }: Context, isAll: boolean): Promise<undefined> {
  const body = await client.call('GET', '/api/snapshots');
  const rows = listAt(body, 'value').map((snapshot) => [
    textAt(snapshot, 'id') ?? '',
    fullNameAt(snapshot, 'hub') ?? '-',
    formatAge(textAt(snapshot, 'readStartedAt'), terminal.now()),
    flagAt(snapshot, 'undone') === true ? 'undone' : (textAt(snapshot, 'health') ?? ''),
    proofWords[textAt(snapshot, 'proof', 'how') ?? ''] ?? '-',
    flagAt(snapshot, 'pinned') === true ? 'yes' : '-',
    textAt(snapshot, 'amount') ?? textAt(snapshot, 'error', 'code') ?? '',
    whyUnfit(snapshot),
  ]);
  const headings = ['SNAPSHOT', 'HUB', 'TAKEN', 'HEALTH', 'PROVEN BY', 'PINNED', 'HOLDS', 'WHY'];
  const render = (some: readonly string[][]) =>
    formatTable(headings, some, 'There are no snapshots yet.', terminal.resultColumns());
  show(body, fitted(rows, terminal, { command: 'snapshots', isAll }, render));
}

function whyUnfit(snapshot: unknown): string {
  const reasons = listAt(snapshot, 'healthReasons').map(String);
  const undone = 'read between a restore and its rollback: it holds devices that were taken back';
  return (flagAt(snapshot, 'undone') === true ? [undone, ...reasons] : reasons).join('; ');
}

async function setPin({ client, show }: Context, method: Method, id: string): Promise<undefined> {
  const body = await client.call(method, `${pathOf('snapshots', id)}/pin`);
  const isPinned = flagAt(body, 'pinned') ?? method === 'PUT';
  show(body, `${textAt(body, 'id') ?? id} is ${isPinned ? 'pinned' : 'not pinned'}.\n`);
}
