import type { Command } from '@commander-js/extra-typings';
import { confirmed } from '../parts/confirmed.ts';
import { type Context, type Run, watchOption } from '../parts/context.ts';
import { formatCount, formatNumber, joined, paragraph, wrap } from '../parts/format.ts';
import { type Json, listAt, numberAt, objectAt, textAt } from '../parts/json.ts';
import { readPages } from '../parts/pages.ts';
import { pathOf, startRun } from '../parts/runs.ts';
import { tool } from '../parts/tool.ts';

/** What can be done with a restore that exists. */
export function addRestoreCommands(program: Command, run: Run): void {
  program
    .command('report <id>')
    .description('one page about a restore to keep: what, who, when, counts, reasons, proof (Markdown)')
    .action(run(showReport));
  program
    .command('failures <id>')
    .description('what a restore could not bring back, by reason')
    .option('--each', 'a line for each record; --json has them, too')
    .action(run((context, id, { each }) => listFailures(context, id, each === true)));
  program
    .command('records <id>')
    .description('list the records of which a restore made one thing: what it updated, withdrew, kept or left')
    .requiredOption('--outcome <name>', 'as in the counts of the restore: updated, withdrawn, conflict, raced, ...')
    .action(run((context, id, { outcome }) => listRecords(context, id, outcome)));
  program
    .command('retry <id>')
    .description('restore only the records that failed in a restore')
    .option('--confirm <namespace/hub>', 'full name of the target: needed where that is the hub in use')
    .option(...watchOption)
    .action(
      run((context, id, { watch, confirm }) =>
        confirmed(context, confirm === undefined ? {} : { confirm }, (body) =>
          startRun(context, { collection: 'restores', path: `${pathOf('restores', id)}/retry`, body }, watch),
        ),
      ),
    );
  program
    .command('rollback <id>')
    .description('remove what a restore wrote, except what has changed since')
    .option('--confirm <namespace/hub>', 'full name of the hub to remove from, as confirmation')
    .option('--keep-newer', 'leave what newer restores wrote; without it they have to be rolled back first')
    .option('--note <text>', 'who asks and why, for the report')
    .option(...watchOption)
    .action(
      run((context, id, { watch, ...given }) =>
        confirmed(context, given, (body) =>
          startRun(context, { collection: 'restores', path: `${pathOf('restores', id)}/rollback`, body }, watch),
        ),
      ),
    );
}

async function showReport({ client, isJson, show }: Context, id: string): Promise<undefined> {
  const path = `${pathOf('restores', id)}/report`;
  if (isJson) show(await client.call('GET', path), '');
  else show(undefined, `${(await client.markdown(path)).trimEnd()}\n`);
}

async function listRecords(context: Context, id: string, outcome: string): Promise<undefined> {
  const query = `?${new URLSearchParams({ outcome })}`;
  const { value, note } = await readPages(context, `${pathOf('restores', id)}/records`, { query });
  const lines = value.map((one) => joined(': ', [textAt(one, 'record'), textAt(one, 'reason')]));
  context.show(
    { value, note },
    lines.length === 0 ? `${note ?? 'There is no such record.'}\n` : `${lines.join('\n')}\n`,
  );
}

/** Those alike together, as the app counts them: why, of which platform, in the hub's words, and some of them. */
async function listFailures(context: Context, id: string, isEach: boolean): Promise<undefined> {
  const path = `${pathOf('restores', id)}/failures`;
  if (isEach || context.isJson) {
    const { value } = await readPages(context, path);
    const lines = value.map((one) => `${textAt(one, 'record')}: ${reasonOf(one)}\n`);
    context.show({ value }, lines.join('') || 'No record failed.\n');
    return undefined;
  }
  const columns = context.terminal.resultColumns();
  const groups = addedUp((await readPages(context, path, { query: '?by=reason' })).value);
  const text = groups.map((group) => describeGroup(group, columns)).join('');
  const isShort = groups.some((group) => restOf(group) > 0);
  const more = isShort ? paragraph(`Each of them: ${tool} failures ${id} --each`, columns) : '';
  context.show(undefined, groups.length === 0 ? 'No record failed.\n' : `${text}${more}`);
}

/** Of many records the app counts a part at a time. */
function addedUp(groups: readonly unknown[]): readonly Json[] {
  const alike = Map.groupBy(groups, (one) =>
    JSON.stringify([textAt(one, 'code'), numberAt(one, 'status'), textAt(one, 'platform'), textAt(one, 'words')]),
  );
  const sums = [...alike.values()].map(([first, ...others]) => {
    const count = [first, ...others].reduce<number>((sum, one) => sum + (numberAt(one, 'count') ?? 0), 0);
    return { ...objectAt(first), count };
  });
  return sums.sort((one, other) => other.count - one.count);
}

function describeGroup(group: Json, columns: number | undefined): string {
  const platform = textAt(group, 'platform');
  const words = textAt(group, 'words');
  const lines = [
    `${formatNumber(numberAt(group, 'count') ?? 0, 'record')}${platform === undefined ? '' : ` of ${platform}`}: ${reasonOf(group)}`,
    ...(words === undefined ? [] : wrap(`the hub says: ${words}`, columns && columns - 2).map((line) => `  ${line}`)),
    ...listAt(group, 'examples').map((record) => `  ${record}`),
    ...(restOf(group) > 0 ? [`  and ${formatCount(restOf(group))} more`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function restOf(group: Json): number {
  return (numberAt(group, 'count') ?? 0) - listAt(group, 'examples').length;
}

/** `Rejected (HTTP 400)` */
function reasonOf(failure: unknown): string {
  const status = numberAt(failure, 'status');
  return `${textAt(failure, 'code')}${status === undefined ? '' : ` (HTTP ${status})`}`;
}
