import type { Command } from '@commander-js/extra-typings';
import type { Context, Run } from '../parts/context.ts';
import { formatTable, joined } from '../parts/format.ts';
import { type Json, numberAt, objectAt, textAt } from '../parts/json.ts';
import { readPages } from '../parts/pages.ts';
import { fitted } from '../parts/terminal.ts';

export function addAudit(program: Command, run: Run): void {
  program
    .command('audit')
    .description('who changed what, or tried to: newest first')
    .option('--all', 'all of the last 400 days; without it the newest 50, or as many as the screen has room for')
    .action(run((context, { all }) => showAudit(context, all === true)));
}

async function showAudit(context: Context, isAll: boolean): Promise<undefined> {
  const { value, hasMore } = await readPages(context, '/api/audit', { isAll });
  const rows = value.map((record) => rowOf(objectAt(record)));
  const headings = ['WHEN', 'WHO', 'WHAT', 'ANSWER', 'FROM', 'KEY'];
  const none = 'Nothing was asked for yet.';
  const render = (some: readonly string[][]) => formatTable(headings, some, none, context.terminal.resultColumns());
  context.show({ value }, fitted(rows, context.terminal, { command: 'audit', hasMore, isAll }, render));
}

function rowOf(record: Json): string[] {
  const damage = textAt(record, 'error', 'code');
  if (damage !== undefined) return [textAt(record, 'id') ?? '', '?', `cannot be read (${damage})`, '?', '?', '?'];
  const field = (name: string): string => textAt(record, name) ?? '-';
  const who = textAt(record, 'principal') ?? field('name');
  return [field('at'), who, deedOf(record), answerOf(record), field('from'), field('key')];
}

/** `restore`, `rollback restore r1`, `role`: what was called, and of what. */
function deedOf(record: Json): string {
  const words = (textAt(record, 'what') ?? '').replace(/^(?:start|put|set)/, '').replace(/[A-Z]/g, ' $&');
  const [, , , id] = (textAt(record, 'path') ?? '').split('/');
  return joined(' ', [words.trim().toLowerCase(), id]);
}

/** Without one its host died, or it works still. */
function answerOf(record: Json): string {
  const status = numberAt(record, 'answer', 'status');
  if (status === undefined) return 'none yet';
  const code = textAt(record, 'answer', 'code');
  if (code !== undefined) return `refused: ${code}`;
  const runId = textAt(record, 'answer', 'runId');
  return runId === undefined ? 'done' : `started ${runId}`;
}
