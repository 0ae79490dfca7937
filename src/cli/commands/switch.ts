import { type Command, Option } from '@commander-js/extra-typings';
import { askForName, unconfirmed } from '../parts/confirmed.ts';
import type { Context, Run } from '../parts/context.ts';
import { exitCodes, Fault, wrongUse } from '../parts/errors.ts';
import { formatAge, formatSeconds, formatSince, paragraph } from '../parts/format.ts';
import { flagAt, fullNameAt, type Json, listAt, numberAt, objectAt, textAt } from '../parts/json.ts';
import { newId } from '../parts/new-id.ts';
import { describeCounts } from '../parts/outcomes.ts';
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
  const { confirm, note, onConflict } = options;
  const role = await client.call('GET', '/api/role');
  const [from = '', into = ''] = [fullNameAt(role, 'active'), fullNameAt(role, 'standby')];
  if (confirm?.toLowerCase() === from && isRepeated(role, name, options.id)) {
    const message = `${from} is in use already, ${formatSince(textAt(role, 'since'))}. Nothing was started.`;
    show(role, paragraph(message, terminal.resultColumns()));
    return exitCodes.done;
  }
  refuseOtherName(confirm, from, into);
  // Beside the result, so that a log keeps the order.
  const tell = context.isJson ? terminal.err : terminal.out;
  const columns = context.isJson ? terminal.columns() : terminal.resultColumns();
  const say = (text: string) => tell(paragraph(text, columns));
  const underWay = await findSwitch(context);
  if (underWay !== undefined) {
    say(`Restore ${underWay}, which switches the hubs, is under way.`);
    return watchRun(context, 'restores', underWay);
  }
  if (name === 'failback' && !listAt(role, 'history').some((tenure) => fullNameAt(tenure, 'hub') === into)) {
    throw wrongUse(`${into} was never in use, so there is no way back to it. Use failover.`);
  }
  say(`From ${from}, the hub in use, into ${into}, which will then be in use. Hold your sends until it is over.`);
  const asked = { activate: true, note, onConflict };
  let counted: string | undefined;
  if (options.dryRun) {
    const left = await describeWhatIsLeftBehind(context, from);
    if (left !== undefined) say(left);
    const exitCode = await start(
      {
        ...context,
        show: (view, text, verdict = '') => {
          counted = describeDryRun(view);
          // Where it ended well, the question that follows says again what matters.
          tell(counted === undefined ? endingIn(verdict, text, terminal) : text);
        },
      },
      newId(terminal.now()),
      { ...asked, dryRun: true },
    );
    if (exitCode !== exitCodes.done) return exitCode;
  }
  return start(context, options.id ?? newId(terminal.now()), {
    ...asked,
    confirm: confirm ?? (await typeName(context, into, counted)),
  });
}

/** `2,000: 1,950 to create, 50 kept live`, of one that ended well. */
function describeDryRun(view: unknown): string | undefined {
  return textAt(view, 'status') === 'Succeeded' ? describeCounts(objectAt(view), 'counts') : undefined;
}

/** A hub in use that answers has time for one more backup. */
async function describeWhatIsLeftBehind({ client, terminal }: Context, from: string): Promise<string | undefined> {
  // Only advice: what keeps the app from answering, the switch itself will say.
  const card = await client.call('GET', '/api/status').catch(() => ({}));
  const [id, age] = [textAt(card, 'latestGoodSnapshot', 'id'), numberAt(card, 'latestGoodSnapshot', 'ageSeconds')];
  const checkedAt = textAt(card, 'source', 'checkedAt');
  if (flagAt(card, 'source', 'reachable') !== true || id === undefined || age === undefined) return undefined;
  return `${from} answered ${formatAge(checkedAt, terminal.now())}. What its devices changed since snapshot ${id}, ${formatSeconds(age)} ago, is not carried over. If there is time, run "${tool} backup --watch" first.`;
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

function withoutDryRun(called: string): string {
  return called.includes(NO_DRY_RUN) ? called : `${called} ${NO_DRY_RUN}`;
}

const NO_DRY_RUN = '--no-dry-run';

/** What was counted may have scrolled away by then. */
async function typeName(context: Context, into: string, counted: string | undefined): Promise<string> {
  const { terminal } = context;
  if (terminal.ask === undefined) {
    const message = `${into} becomes the hub in use. If that is meant, repeat this full name after --confirm.`;
    // The dry run has just been seen.
    throw unconfirmed({ ...context, called: withoutDryRun(context.called) }, wrongUse(message));
  }
  say(terminal, `${into} becomes the hub in use.${counted === undefined ? '' : ` Records ${counted}.`}`);
  const typed = await askForName(context, `To confirm, type the full name of the hub that is to be in use, ${into}: `, {
    isRight: (name) => name.toLowerCase() === into,
    wrong: `That is not the hub's full name, ${into}.`,
  });
  if (typed !== undefined) return typed;
  throw new Fault('refused', `The name was not typed. Nothing was started.`, { code: 'ConfirmationMissing' });
}
