import type { Command } from '@commander-js/extra-typings';
import type { Context, Run } from '../parts/context.ts';
import { formatAge, formatNumber, formatSeconds, formatTable, joined } from '../parts/format.ts';
import { flagAt, fullNameAt, type Json, numberAt, objectAt, textAt } from '../parts/json.ts';
import { describeCounts, describeOutcomes } from '../parts/outcomes.ts';
import { readPages } from '../parts/pages.ts';
import type { Collection } from '../parts/runs.ts';
import { endOf, nounOf } from '../parts/summary.ts';
import { fitted } from '../parts/terminal.ts';

/** Heading, and its text for a run. */
type Column = readonly [heading: string, describe: (view: Json) => string];

const status: Column = [
  'STATUS',
  (view) => {
    const ended = endOf(view);
    return textAt(view, 'retriedBy') === undefined ? ended : `${ended}, completed by a retry`;
  },
];

const who: Column = ['WHO', (view) => textAt(view, 'askedBy') ?? asker[textAt(view, 'requestedBy') ?? ''] ?? '-'];
/** Of runs that no caller started. */
const asker: Readonly<Record<string, string>> = { timer: 'schedule', drill: 'drill' };

/** After the id and the time of each run. */
const lists: Readonly<Record<Collection, readonly Column[]>> = {
  restores: [
    ['WHAT', kindOf],
    status,
    ['FROM', (view) => (textAt(view, 'purpose') === 'rollback' ? '-' : (fullNameAt(view, 'snapshot', 'hub') ?? '-'))],
    ['INTO', (view) => fullNameAt(view, 'target') ?? '-'],
    who,
    ['RECORDS', (view) => describeCounts(view, 'counts')],
    ['NOTE', (view) => textAt(view, 'note') ?? ''],
  ],
  backups: [status, ['HUB', (view) => fullNameAt(view, 'hub') ?? '-'], who, ['SNAPSHOT', describeBackup]],
  verifications: [
    status,
    who,
    ['SNAPSHOT', (view) => joined(', ', [textAt(view, 'snapshot', 'id'), describeOutcomes(view, 'counts')])],
  ],
  drills: [status, who, ['HOW', describeDrill]],
};

/** The last runs of each kind. */
export function addLists(program: Command, run: Run): void {
  for (const collection of ['restores', 'backups', 'verifications', 'drills'] as const) {
    program
      .command(collection)
      .description(`list the last ${collection}, newest first`)
      .option('--all', 'all of them; without it the newest 50, or as many as the screen has room for')
      .action(run((context, { all }) => showList(context, collection, all === true)));
  }
}

async function showList(context: Context, collection: Collection, isAll: boolean): Promise<undefined> {
  const columns = lists[collection];
  const { value, hasMore } = await readPages(context, `/api/${collection}`, { isAll });
  const rows = value.map((view) => [
    textAt(view, 'id') ?? '',
    formatAge(textAt(view, 'createdAt'), context.terminal.now()),
    ...columns.map(([, describe]) => describe(objectAt(view))),
  ]);
  const headings = ['ID', 'STARTED', ...columns.map(([heading]) => heading)];
  const none = `There are no ${collection} yet.`;
  const render = (some: readonly string[][]) => formatTable(headings, some, none, context.terminal.resultColumns());
  context.show({ value }, fitted(rows, context.terminal, { command: collection, hasMore, isAll }, render));
}

/** A restore that is to switch the hubs is one of two things. */
function kindOf(view: Json): string {
  const noun = nounOf(view);
  if (noun === 'Sync') return 'Standby sync';
  if (noun !== 'Restore' || flagAt(view, 'activate') !== true) return noun;
  return textAt(view, 'way') === 'failback' ? 'Failback' : 'Failover';
}

function describeBackup(view: Json): string {
  const records = numberAt(view, 'result', 'recordCount');
  return joined(', ', [
    textAt(view, 'result', 'amount') ?? (records === undefined ? 'none' : formatNumber(records, 'record')),
    textAt(view, 'result', 'health'),
  ]);
}

function describeDrill(view: Json): string {
  const seconds = numberAt(view, 'seconds');
  return joined(', ', [textAt(view, 'how'), seconds !== undefined && formatSeconds(seconds), textAt(view, 'reason')]);
}
