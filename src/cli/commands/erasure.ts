import type { Command } from '@commander-js/extra-typings';
import type { Context, Run } from '../parts/context.ts';
import { wrongUse } from '../parts/errors.ts';
import { formatCount, formatNumber, formatTable, paragraph } from '../parts/format.ts';
import { flagAt, fullNameAt, type Json, listAt, numberAt, textAt } from '../parts/json.ts';
import { pathOf } from '../parts/runs.ts';

export function addErasureCommands(program: Command, run: Run): void {
  program
    .command('delete <id>')
    .description('delete a snapshot for good; not one that is pinned, in use, or the newest good one')
    .action(run((context, id) => deleteSnapshot(context, id)));
  program
    .command('erase')
    .description('erase a person: no restore brings them back from snapshots taken so far; lists what still holds them')
    .option('--user-id <id>')
    .option('--installation-id <id>')
    .option('--handle <handle>', 'token or channel of a device')
    .option('--registration-id <id>')
    .option('--tag <tag>')
    .action(run((context, options) => erase(context, options)));
}

async function deleteSnapshot({ client, show }: Context, id: string): Promise<undefined> {
  const body = await client.call('DELETE', pathOf('snapshots', id));
  show(body, `${textAt(body, 'id') ?? id} is deleted.\n`);
}

async function erase(
  { client, terminal, show }: Context,
  options: Readonly<Record<string, string>>,
): Promise<undefined> {
  if (Object.keys(options).length !== 1) throw wrongUse('Name one of the options. Add --help to see them.');
  const body = await client.call('POST', '/api/erasures', options);
  const columns = terminal.resultColumns();
  show(body, `${textOfSnapshots(body, columns)}\n${textOfLive(body, columns)}${textOfIntended(body, columns)}`);
}

function textOfSnapshots(body: Json, columns: number | undefined): string {
  const rows = listAt(body, 'snapshots').map((snapshot) => {
    const records = numberAt(snapshot, 'records');
    return [
      textAt(snapshot, 'id') ?? '',
      fullNameAt(snapshot, 'hub') ?? '-',
      records === undefined ? 'not read' : formatCount(records),
      flagAt(snapshot, 'pinned') === true ? 'pinned' : (textAt(snapshot, 'until')?.slice(0, 10) ?? 'unknown'),
    ];
  });
  return formatTable(['HELD BY SNAPSHOT', 'HUB', 'RECORDS', 'UNTIL'], rows, 'No snapshot holds them.', columns);
}

function textOfLive(body: Json, columns: number | undefined): string {
  const live = listAt(body, 'live');
  const rows = live.flatMap((hub) =>
    listAt(hub, 'rows').map((row) => [
      textAt(row, 'registrationId') ?? '',
      fullNameAt(hub, 'hub') ?? '-',
      textAt(row, 'platform') ?? '',
      textAt(row, 'installationId') ?? '-',
    ]),
  );
  const faults = live.flatMap((hub) => {
    const message = textAt(hub, 'error', 'message');
    return message === undefined ? [] : [paragraph(`${fullNameAt(hub, 'hub')}: ${message}`, columns)];
  });
  const table = formatTable(
    ['LIVES AS REGISTRATION', 'HUB', 'PLATFORM', 'INSTALLATION'],
    rows,
    'Neither hub has a registration of theirs.',
    columns,
  );
  const next =
    rows.length === 0
      ? ''
      : paragraph('Delete these registrations in the hubs, then erase again: until then, backups read them.', columns);
  return [table, ...faults, next].join('');
}

/** Of dual writes that backends had intended. */
function textOfIntended(body: Json, columns: number | undefined): string {
  const dropped = numberAt(body, 'intended', 'dropped') ?? 0;
  const unread = numberAt(body, 'intended', 'unread') ?? 0;
  const until = textAt(body, 'intended', 'landingUntil');
  const sentences = [
    dropped > 0 && `${formatNumber(dropped, 'write')} intended by backends dropped.`,
    until !== undefined && `One may still land in a hub until ${until}: erase again after that.`,
    unread > 0 && `${formatNumber(unread, 'write')} intended by backends could not be looked at in time: erase again.`,
  ];
  return sentences.flatMap((one) => (one === false ? [] : [paragraph(one, columns)])).join('');
}
