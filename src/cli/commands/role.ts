import type { Command } from '@commander-js/extra-typings';
import { confirmed } from '../parts/confirmed.ts';
import type { Context, Run } from '../parts/context.ts';
import { isFault, wrongUse } from '../parts/errors.ts';
import { formatAge, formatFacts, formatSince, formatTable } from '../parts/format.ts';
import { fullNameAt, type Json, listAt, textAt } from '../parts/json.ts';
import { say } from '../parts/terminal.ts';

const roleHelp = `
Examples:
  role               which hub is in use, and which came before
  role primary       declare the primary to be in use; it asks for its full name
It moves no device: backends register and send where they are configured to.`;

export function addRole(program: Command, run: Run): void {
  program
    .command('role [hub]')
    .description(
      'which hub is in use, since when and why; with a hub (primary, secondary or namespace/hub): declare that it is in use',
    )
    .option('--confirm <namespace/hub>', 'full name of the hub in use, as confirmation')
    .option('--force', 'declare it though nothing was restored into that hub')
    .option('--note <text>', 'who declares it and why')
    .addHelpText('after', roleHelp)
    .action(
      run(async (context, active, options) => {
        const { client } = context;
        if (active === undefined) return show(context, await client.call('GET', '/api/role'));
        const body = { active, ...options };
        const role = await confirmed(context, body, (sent) => client.call('POST', '/api/role', sent)).catch((error) => {
          const isUnconfirmed = isFault(error, 'refused', 'ConfirmationMissing') && options.confirm === undefined;
          throw isUnconfirmed ? wrongUse(error.message, error.facts.command) : error;
        });
        noteWhatChanged(context, role);
        return show(context, role);
      }),
    );
}

/** To declare what holds already settles a doubt, and switches nothing; else people have to follow. */
function noteWhatChanged({ terminal }: Context, role: Json): void {
  const since = textAt(role, 'since');
  const active = fullNameAt(role, 'active');
  const text = [undefined, since].includes(textAt(role, 'declared', 'at'))
    ? `Now point all backends that register or send at ${active}, and resume sends.`
    : `${active} is already in use ${formatSince(since)}, and nothing changed.`;
  say(terminal, text);
}

function show({ show: write, terminal }: Context, role: Json): undefined {
  const hubs = formatFacts(
    [
      ['in use', fullNameAt(role, 'active')],
      ['standby', fullNameAt(role, 'standby')],
    ],
    9,
  );
  const history = listAt(role, 'history');
  const rows = history.map((tenure, place) => [
    fullNameAt(tenure, 'hub') ?? '',
    describeStart(textAt(tenure, 'since'), terminal.now()),
    place === 0 ? 'now' : (textAt(history[place - 1], 'since') ?? '?'),
    textAt(tenure, 'askedBy') ?? textAt(tenure, 'by') ?? '',
    textAt(tenure, 'note') ?? textAt(tenure, 'runId') ?? '',
  ]);
  const headings = ['HUB', 'IN USE FROM', 'UNTIL', 'BY', 'NOTE'];
  write(role, `${hubs}${formatTable(headings, rows, 'It has no history.', terminal.resultColumns())}`);
}

/** The first hub counts as in use from the beginning. */
function describeStart(since: string | undefined, nowMs: number): string {
  return Date.parse(since ?? '') === 0 ? 'the beginning' : `${since} (${formatAge(since, nowMs)})`;
}
