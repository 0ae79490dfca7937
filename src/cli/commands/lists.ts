import type { Command } from '@commander-js/extra-typings';
import type { Context, Run } from '../parts/context.ts';
import { formatAge, formatCount, formatCounts, formatSeconds, formatTable, joined } from '../parts/format.ts';
import { countsAt, fullNameAt, numberAt, objectAt, textAt } from '../parts/json.ts';
import { readPages } from '../parts/pages.ts';
import type { Collection } from '../parts/runs.ts';
import { nounOf } from '../parts/summary.ts';
import { tool } from '../parts/tool.ts';

/** A column of its own for each kind of run. */
interface List {
  readonly heading: string;
  readonly describe: (view: unknown) => string;
}

const lists: Readonly<Record<Collection, List>> = {
  restores: { heading: 'RECORDS', describe: (view) => formatCounts(countsAt(view, 'counts')) },
  backups: { heading: 'SNAPSHOT', describe: describeBackup },
  verifications: {
    heading: 'SNAPSHOT',
    describe: (view) => joined(', ', [textAt(view, 'snapshot', 'id'), formatCounts(countsAt(view, 'counts'))]),
  },
  drills: { heading: 'HOW', describe: describeDrill },
};

/** The last runs of each kind. */
export function addLists(program: Command, run: Run): void {
  for (const collection of ['restores', 'backups', 'verifications', 'drills'] as const) {
    program
      .command(collection)
      .description(`list the last ${collection}, newest first`)
      .option('--all', 'all there are; without it the newest 50')
      .action(run((context, { all }) => showList(context, collection, all === true)));
  }
}

async function showList(context: Context, collection: Collection, isAll: boolean): Promise<undefined> {
  const { heading, describe } = lists[collection];
  const { value, hasMore } = await readPages(context, `/api/${collection}`, { isAll });
  const rows = value.map((view) => [
    textAt(view, 'id') ?? '',
    formatAge(textAt(view, 'createdAt'), context.terminal.now()),
    ...(collection === 'restores' ? [nounOf(objectAt(view))] : []),
    textAt(view, 'error', 'code') ?? textAt(view, 'status') ?? '',
    ...(collection === 'restores'
      ? [fullNameAt(view, 'snapshot', 'hub') ?? '-', fullNameAt(view, 'target') ?? '-']
      : []),
    describe(view),
  ]);
  const headings = [
    'ID',
    'STARTED',
    ...(collection === 'restores' ? ['WHAT'] : []),
    'STATUS',
    ...(collection === 'restores' ? ['FROM', 'INTO'] : []),
    heading,
  ];
  const more = hasMore ? `Older ones: ${tool} ${collection} --all\n` : '';
  context.show({ value }, `${formatTable(headings, rows, `There are no ${collection} yet.`)}${more}`);
}

function describeBackup(view: unknown): string {
  const records = numberAt(view, 'result', 'recordCount');
  return joined(', ', [
    records === undefined ? 'none' : `${formatCount(records)} records`,
    textAt(view, 'result', 'health'),
  ]);
}

function describeDrill(view: unknown): string {
  const seconds = numberAt(view, 'seconds');
  return joined(', ', [textAt(view, 'how'), seconds !== undefined && formatSeconds(seconds), textAt(view, 'reason')]);
}
