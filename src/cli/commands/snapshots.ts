import type { Command } from '@commander-js/extra-typings';
import type { Method } from '../parts/client.ts';
import { type Context, type Run, watchOption } from '../parts/context.ts';
import { formatAge, formatCount, formatTable } from '../parts/format.ts';
import { flagAt, fullNameAt, listAt, numberAt, textAt } from '../parts/json.ts';
import { pathOf, startRun } from '../parts/runs.ts';

export function addSnapshotCommands(program: Command, run: Run): void {
  program.command('snapshots').description('list the snapshots of both hubs, newest first').action(run(listSnapshots));
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
    .description('take the counts of a suspect snapshot for what is usual from now on')
    .action(
      run(async ({ client, show }, id) => {
        const body = await client.call('POST', `${pathOf('snapshots', id)}/accept`);
        show(body, `${textAt(body, 'id') ?? id} is accepted: a backup like it is good. Take one now.\n`);
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

async function listSnapshots({ client, terminal, show }: Context): Promise<undefined> {
  const body = await client.call('GET', '/api/snapshots');
  const rows = listAt(body, 'value').map((snapshot) => [
    textAt(snapshot, 'id') ?? '',
    fullNameAt(snapshot, 'hub') ?? '-',
    formatAge(textAt(snapshot, 'readStartedAt'), terminal.now()),
    textAt(snapshot, 'health') ?? '',
    formatCount(numberAt(snapshot, 'counts', 'records') ?? 0),
    textAt(snapshot, 'proof', 'how') ?? '-',
    flagAt(snapshot, 'pinned') === true ? 'pinned' : '-',
    textAt(snapshot, 'error', 'code') ?? listAt(snapshot, 'healthReasons').map(String).join('; '),
  ]);
  const headings = ['SNAPSHOT', 'HUB', 'TAKEN', 'HEALTH', 'RECORDS', 'PROVEN BY', 'PINNED', ''];
  show(body, formatTable(headings, rows, 'There are no snapshots yet.'));
}

async function setPin({ client, show }: Context, method: Method, id: string): Promise<undefined> {
  const body = await client.call(method, `${pathOf('snapshots', id)}/pin`);
  const isPinned = flagAt(body, 'pinned') ?? method === 'PUT';
  show(body, `${textAt(body, 'id') ?? id} is ${isPinned ? 'pinned' : 'not pinned'}.\n`);
}
