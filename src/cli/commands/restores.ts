import type { Command } from '@commander-js/extra-typings';
import { ASKS_FOR_NAME, confirmed } from '../parts/confirmed.ts';
import { type Context, type Run, watchOption } from '../parts/context.ts';
import { formatCount, formatNumber, joined, paragraph, wrap } from '../parts/format.ts';
import { countsAt, flagAt, type Json, listAt, numberAt, objectAt, textAt } from '../parts/json.ts';
import { outcomeIn } from '../parts/outcomes.ts';
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
    .description('list the records that a restore wrote, removed, kept or left; of a dry run those that it would')
    .option('--outcome <name>', 'one outcome, by its name in --json: updated, withdrawn, conflict, raced, ...')
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

/** Those that are as they were before may be millions, and say nothing of the restore. */
const unlisted = ['total', 'unchanged', 'onlyInTarget', 'pending'];

async function listAllRecords(context: Context, id: string): Promise<undefined> {
  const view = await context.client.call('GET', pathOf('restores', id));
  const value: unknown[] = [];
  const lines: string[] = [];
  for (const [outcome] of countsAt(view, 'counts').filter(([name]) => !unlisted.includes(name))) {
    const query = `?${new URLSearchParams({ outcome })}`;
    const page = await readPages(context, `${pathOf('restores', id)}/records`, { query });
    value.push(...page.value);
    lines.push(...page.value.map((one) => `${outcomeIn(view, outcome)}: ${nameOf(one)}`));
  }
  context.show({ value }, lines.length === 0 ? 'There is no record but those unchanged.\n' : `${lines.join('\n')}\n`);
  return undefined;
}

function nameOf(record: unknown): string {
  return joined(': ', [textAt(record, 'record'), textAt(record, 'reason')]);
}

async function listRecords(context: Context, id: string, outcome: string | undefined): Promise<undefined> {
  if (outcome === undefined) return listAllRecords(context, id);
  const query = `?${new URLSearchParams({ outcome })}`;
  const { value, note } = await readPages(context, `${pathOf('restores', id)}/records`, { query });
  const lines = value.map(nameOf);
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
  context.show(
    undefined,
    groups.length === 0 ? 'No record failed.\n' : `${text}${more}${await endOf(context, id, groups)}`,
  );
}

/** How many there are in all, and how they are restored where that can be done. */
async function endOf({ client, terminal }: Context, id: string, groups: readonly Json[]): Promise<string> {
  const count = groups.reduce((sum, group) => sum + (numberAt(group, 'count') ?? 0), 0);
  // Only advice: the reasons are read, and they say most.
  const view = await client.call('GET', pathOf('restores', id)).catch(() => ({}));
  const retry = listAt(view, 'nextActions').find((action) => textAt(action, 'name') === 'retry');
  const next = retry === undefined ? '' : ` Fix the cause, then: ${tool} ${textAt(retry, 'command')}`;
  const asks = flagAt(retry, 'needsConfirm') === true && `It ${ASKS_FOR_NAME}.`;
  const sentences = [`Failed in all: ${formatNumber(count, 'record')}.${next}`, ...(asks === false ? [] : [asks])];
  return sentences.map((one) => paragraph(one, terminal.resultColumns())).join('');
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
  const lines = [
    `${formatNumber(numberAt(group, 'count') ?? 0, 'record')}${platform === undefined ? '' : ` of ${platform}`}: ${reasonOf(group)}`,
    ...wrap(saidBy(group), columns && columns - 2).flatMap((line) => (line === '' ? [] : [`  ${line}`])),
    ...listAt(group, 'examples').map((record) => `  ${record}`),
    ...(restOf(group) > 0 ? [`  and ${formatCount(restOf(group))} more`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** A hub that refused a record without a reason leaves nothing to correct. */
function saidBy(group: Json): string {
  const words = textAt(group, 'words');
  if (words !== undefined) return `the hub says: ${words}`;
  if (textAt(group, 'code') !== 'Rejected') return '';
  return 'the hub says nothing more: look whether other records of that platform were taken; else leave these out, they register again when users open the app';
}

function restOf(group: Json): number {
  return (numberAt(group, 'count') ?? 0) - listAt(group, 'examples').length;
}

/** `Rejected (HTTP 400)` */
function reasonOf(failure: unknown): string {
  const status = numberAt(failure, 'status');
  return `${textAt(failure, 'code')}${status === undefined ? '' : ` (HTTP ${status})`}`;
}
