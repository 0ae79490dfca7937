import type { Command } from '@commander-js/extra-typings';
import type { Context, Run } from '../parts/context.ts';
import { exitCodes } from '../parts/errors.ts';
import { type Fact, formatFacts, formatTable, paragraph } from '../parts/format.ts';
import { inCommands } from '../parts/in-commands.ts';
import { flagAt, fullNameAt, type Json, listAt, textAt } from '../parts/json.ts';

export function addCompare(program: Command, run: Run): void {
  program
    .command('compare')
    .description('in which settings the two hubs differ: push credentials, tier, access policies, IP rules')
    .action(run(compare));
}

export function addDoctor(program: Command, run: Run): void {
  program
    .command('doctor')
    .description('is all there that the app needs? Rights, reach, regions; each with the command that puts it right')
    .action(run(examine));
}

const signs: Readonly<Record<string, string>> = { good: 'ok', bad: 'WRONG', unknown: '?' };

async function examine({ client, terminal, show }: Context): Promise<number> {
  const found = await client.call('GET', '/api/doctor');
  const rows = listAt(found, 'checks').flatMap((one): Fact[] => {
    const sign = signs[textAt(one, 'state') ?? ''] ?? '?';
    const message = `${wordsOf(textAt(one, 'name') ?? '')}: ${inCommands(textAt(one, 'message') ?? '')}`;
    return [
      [sign, message],
      ['', textAt(one, 'fix'), true],
    ];
  });
  const isWell = flagAt(found, 'isWell') === true;
  const end = isWell ? 'All that could be checked is right.' : 'Put right what is WRONG, then ask again.';
  show(found, `${formatFacts(rows, 8, terminal.resultColumns())}${end}\n`);
  return isWell ? exitCodes.done : exitCodes.failed;
}

/** `resource manager primary` */
function wordsOf(name: string): string {
  return name.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

async function compare({ client, terminal, show }: Context): Promise<undefined> {
  const found = await client.call('POST', '/api/metadata/compare');
  const rows = listAt(found, 'differences').map((one) => [
    textAt(one, 'what') ?? '',
    textAt(one, 'primary') ?? '',
    textAt(one, 'secondary') ?? '',
  ]);
  const columns = terminal.resultColumns();
  const unknown = listAt(found, 'unknown').map((one) =>
    paragraph(`not compared: ${textAt(one, 'hub')}: ${textAt(one, 'reason')}`, columns),
  );
  const nothing = unknown.length > 0 ? 'No difference in what could be compared.' : 'No difference.';
  const headings = ['SETTING', nameOf(found, 'primary'), nameOf(found, 'secondary')];
  show(found, `${formatTable(headings, rows, nothing, columns)}${unknown.join('')}`);
}

function nameOf(found: Json, which: 'primary' | 'secondary'): string {
  return `${which.toUpperCase()} (${fullNameAt(found, which) ?? 'unknown'})`;
}
