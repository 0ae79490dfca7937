import { type Command, Option } from '@commander-js/extra-typings';
import type { Context, Run } from '../parts/context.ts';
import { exitCodes, Fault, wrongUse } from '../parts/errors.ts';
import { formatSeconds, formatSince, paragraph } from '../parts/format.ts';
import { flagAt, fullNameAt, type Json, listAt, numberAt, objectAt, textAt } from '../parts/json.ts';
import { newId } from '../parts/new-id.ts';
import { pathOf, startRun, watchRun } from '../parts/runs.ts';
import { isOver } from '../parts/summary.ts';
import { endingIn, say } from '../parts/terminal.ts';
import { tool } from '../parts/tool.ts';

interface Options {
  readonly confirm?: string;
  readonly note?: string;
  readonly id?: string;
  readonly onConflict?: string;
  readonly dryRun: boolean;
}

const switchHelp = `
It watches the restore to its end, and takes the latest good snapshot. To take
another: restore --snapshot ID --activate --watch. "snapshots" lists them.`;

export function addSwitches(program: Command, run: Run): void {
  const add = (name: 'failover' | 'failback', description: string) =>
    program
      .command(name)
      .description(description)
      .option('--confirm <namespace/hub>', 'full name of the hub that is to be in use, as confirmation')
      .option('--note <text>', 'who asks and why, for the report')
      .option('--id <id>', 'an id of your own for the restore')
      .addOption(
        new Option('--on-conflict <what>', 'records that differ in both hubs, where that is left to you').choices([
          'keep',
          'overwrite',
        ]),
      )
      .option('--no-dry-run', 'restore at once')
      .addHelpText('after', switchHelp)
      .action(run((context, options) => switchHubs(context, name, options)));
  add('failover', 'make the standby the hub in use: dry run, confirmation, restore, proof, switch');
  add('failback', 'go back: the same into the hub that was in use before');
}

/** Repeated, it finds what is under way, or that nothing is left to do. */
async function switchHubs(context: Context, name: string, options: Options): Promise<number> {
  const { client, terminal, show } = context;
  const { confirm, note, onConflict, id = newId(terminal.now()) } = options;
  const role = await client.call('GET', '/api/role');
  const [from = '', into = ''] = [fullNameAt(role, 'active'), fullNameAt(role, 'standby')];
  if (confirm?.toLowerCase() === from && isRepeated(role, name, options.id)) {
    const message = `${from} is in use already, ${formatSince(textAt(role, 'since'))}. Nothing was started.`;
    show(role, paragraph(message, terminal.resultColumns()));
    return exitCodes.done;
  }
  refuseOtherName(confirm, from, into);
  const underWay = await findSwitch(context);
  if (underWay !== undefined) {
    say(terminal, `Restore ${underWay}, which switches the hubs, is under way.`);
    return watchRun(context, 'restores', underWay);
  }
  if (name === 'failback' && !listAt(role, 'history').some((tenure) => fullNameAt(tenure, 'hub') === into)) {
    throw wrongUse(`${into} was never in use, so there is no way back to it. Use failover.`);
  }
  say(
    terminal,
    `From ${from}, the hub in use, into ${into}, which will then be in use. Hold your sends until it is over.`,
  );
  const asked = { activate: true, note, onConflict };
  if (options.dryRun) {
    await noteWhatIsLeftBehind(context, from);
    const dryRun = {
      ...context,
      show: (_view: unknown, text: string, verdict = '') => terminal.err(endingIn(verdict, text, terminal)),
    };
    const exitCode = await start(dryRun, newId(terminal.now()), { ...asked, dryRun: true });
    if (exitCode !== exitCodes.done) return exitCode;
  }
  return start(context, id, { ...asked, confirm: confirm ?? (await typeName(context, into)) });
}

/** A hub in use that answers has time for one more backup. */
async function noteWhatIsLeftBehind({ client, terminal }: Context, from: string): Promise<void> {
  // Only advice: what keeps the app from answering, the switch itself will say.
  const card = await client.call('GET', '/api/status').catch(() => ({}));
  const [id, age] = [textAt(card, 'latestGoodSnapshot', 'id'), numberAt(card, 'latestGoodSnapshot', 'ageSeconds')];
  if (flagAt(card, 'source', 'reachable') !== true || id === undefined || age === undefined) return;
  const message = `${from} answers. What its devices changed since snapshot ${id}, ${formatSeconds(age)} ago, is not carried over. If there is time, run "${tool} backup --watch" first.`;
  say(terminal, message);
}

/** Whether the hub in use came into use by the same command: under that id, or else in that direction. */
function isRepeated(role: Json, name: string, id: string | undefined): boolean {
  const history = listAt(role, 'history');
  if (id !== undefined && textAt(history[0], 'runId') === id) return true;
  const isBack = fullNameAt(history.at(-1), 'hub') === fullNameAt(role, 'active');
  return history.length > 1 && isBack === (name === 'failback');
}

/** Before the dry run, which may take minutes. */
function refuseOtherName(confirm: string | undefined, from: string, into: string): void {
  if (confirm === undefined || confirm.toLowerCase() === into) return;
  const what = confirm.toLowerCase() === from ? 'the hub in use' : 'another hub';
  const message = `--confirm names ${what}. The hub that would come into use is ${into}: type that full name. Nothing was started.`;
  throw new Fault('refused', message, { code: 'ConfirmationMissing' });
}

function start(context: Context, id: string, body: object): Promise<number> {
  return startRun(context, { collection: 'restores', method: 'PUT', path: pathOf('restores', id), body }, true);
}

/** The restore that is about to switch the hubs, if there is one. */
async function findSwitch({ client }: Context): Promise<string | undefined> {
  const views = listAt(await client.call('GET', '/api/restores'), 'value').map((view) => objectAt(view));
  return textAt(
    views.find((view) => !isOver(view) && flagAt(view, 'activate') === true && flagAt(view, 'dryRun') !== true),
    'id',
  );
}

async function typeName({ terminal }: Context, into: string): Promise<string> {
  if (terminal.ask === undefined) {
    throw wrongUse(`${into} becomes the hub in use. If that is meant, repeat this full name after --confirm.`);
  }
  return terminal.ask('To confirm, type the full name of the hub that is to be in use, namespace/hub: ');
}
