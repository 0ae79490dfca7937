import type { Command } from '@commander-js/extra-typings';
import { confirmed } from '../parts/confirmed.ts';
import { type Context, type Run, watchOption } from '../parts/context.ts';
import { wrongUse } from '../parts/errors.ts';
import { formatCount, formatNumber, joined, wrap } from '../parts/format.ts';
import { fullNameAt, numberAt, textAt } from '../parts/json.ts';
import { readPages } from '../parts/pages.ts';
import { pathOf, startRun } from '../parts/runs.ts';
import { EXAMPLES } from '../parts/summary.ts';
import { say } from '../parts/terminal.ts';
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
    .option('--each', 'a line for each record')
    .action(run((context, id, { each }) => listFailures(context, id, each === true)));
  program
    .command('records <id>')
    .description('list the records of which a restore made one thing: what it updated, withdrew, kept or left')
    .requiredOption('--outcome <name>', 'as in the counts of the restore: updated, withdrawn, conflict, raced, ...')
    .action(run((context, id, { outcome }) => listRecords(context, id, outcome)));
  program
    .command('retry <id>')
    .description('restore only the records that failed in a restore')
    .option('--confirm <namespace/hub>', 'full name of the target: needed if it came into use since')
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
      run(async (context, id, { watch, note, keepNewer, confirm }) => {
        const body = { confirm: confirm ?? (await askForHub(context, id)), note, keepNewer };
        return startRun(context, { collection: 'restores', path: `${pathOf('restores', id)}/rollback`, body }, watch);
      }),
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

/** Those alike together: how many, of which platform and why, in the hub's words, and some of them. */
async function listFailures(context: Context, id: string, isEach: boolean): Promise<undefined> {
  const { value } = await readPages(context, `${pathOf('restores', id)}/failures`);
  const columns = context.terminal.resultColumns();
  const groups = [
    ...Map.groupBy(value, (one) => `${reasonOf(one)} ${textAt(one, 'platform')} ${textAt(one, 'words')}`).values(),
  ];
  const most = isEach ? value.length : EXAMPLES;
  groups.sort((one, other) => other.length - one.length);
  const text = groups.map((alike) => describeAlike(alike, most, columns)).join('');
  const isShort = groups.some(({ length }) => length > most);
  const more = isShort ? `Each of them: ${tool} failures ${id} --each\n` : '';
  context.show({ value }, value.length === 0 ? 'No record failed.\n' : `${text}${more}`);
}

function describeAlike(alike: readonly unknown[], most: number, columns: number | undefined): string {
  const [first] = alike;
  const platform = textAt(first, 'platform');
  const words = textAt(first, 'words');
  const lines = [
    `${formatNumber(alike.length, 'record')}${platform === undefined ? '' : ` of ${platform}`}: ${reasonOf(first)}`,
    ...(words === undefined ? [] : wrap(`the hub says: ${words}`, columns && columns - 2).map((line) => `  ${line}`)),
    ...alike.slice(0, most).map((failure) => `  ${textAt(failure, 'record')}`),
    ...(alike.length > most ? [`  and ${formatCount(alike.length - most)} more`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** `Rejected (HTTP 400)` */
function reasonOf(failure: unknown): string {
  const status = numberAt(failure, 'status');
  return `${textAt(failure, 'code')}${status === undefined ? '' : ` (HTTP ${status})`}`;
}

async function askForHub({ client, terminal }: Context, id: string): Promise<string> {
  const view = await client.call('GET', pathOf('restores', id));
  const target = fullNameAt(view, 'target') ?? 'the hub';
  if (terminal.ask === undefined) {
    throw wrongUse(
      `A rollback removes devices from ${target}. If that is meant, repeat this full name after --confirm.`,
    );
  }
  say(terminal, `This removes from ${target} everything that ${id} wrote, except what has changed since.`);
  const typed = await terminal.ask('To confirm, type the full name of the hub, namespace/hub: ');
  if (typed.toLowerCase() === target.toLowerCase()) return typed;
  throw wrongUse('That is not the full name of the hub. Nothing was changed.');
}
