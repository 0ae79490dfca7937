import { Command } from '@commander-js/extra-typings';
import { addTestAlert } from './commands/alerts.ts';
import { addAudit } from './commands/audit.ts';
import { addCompare, addDoctor } from './commands/checks.ts';
import { addErasureCommands } from './commands/erasure.ts';
import { addFeedback } from './commands/feedback.ts';
import { addLists } from './commands/lists.ts';
import { addRestore } from './commands/restore.ts';
import { addRestoreCommands } from './commands/restores.ts';
import { addRole } from './commands/role.ts';
import { addBackup, addCancel, addDrill, addWatch } from './commands/runs.ts';
import { addSnapshotCommands } from './commands/snapshots.ts';
import { addStatus } from './commands/status.ts';
import { addSwitches } from './commands/switch.ts';
import { createClient } from './parts/client.ts';
import { findKey, findName, findUrl } from './parts/connection.ts';
import type { Run } from './parts/context.ts';
import { exitCodes, wrongUse } from './parts/errors.ts';
import { endingIn, type Terminal } from './parts/terminal.ts';
import { calledAs, version } from './parts/tool.ts';

/** Of help in a log or a pipe. */
const HELP_WIDTH = 120;

const moreHelp = `
Words: a device is a push handle, so an app on a phone; a record is an
installation, or all plain registrations of one handle, and what restores
count; a registration is a row of the hub. One device may have several.

Exit codes: 0 done; 1 failed, refused or NotReady; 2 wrong usage; 3 restored,
but not every record (RestoreIncomplete); 4 AtRisk and 5 NotReady with
status --exit-code; 130 interrupted. docs/RUNBOOK.md walks through a failover.`;

/** Parses a command line, runs its command and gives the exit code. Throws `CommanderError` after help and wrong usage. */
export async function runProgram(argv: readonly string[], terminal: Terminal): Promise<number> {
  let exitCode: number = exitCodes.done;
  const width = () => terminal.columns() ?? HELP_WIDTH;
  const program = new Command('notification-hubs-dr')
    .description("Backup and restore of Azure Notification Hubs, over the app's HTTP API.")
    .usage('COMMAND [options]')
    .version(version, '--version', 'which version of the tool this is')
    .option('--url <url>', 'address of the app; default: NOTIFICATION_HUBS_DR_URL')
    .option('--key <key>', 'function key; default: NOTIFICATION_HUBS_DR_KEY, else a prompt. Process lists show a flag!')
    .option('--by <name>', 'who asks, for lists, reports and audit records; default: you at this machine')
    .option('--json', 'one JSON document on stdout; messages on stderr')
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err, getOutHelpWidth: width, getErrHelpWidth: width })
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('Add --help to see commands and options.')
    .exitOverride();
  const run: Run =
    (command) =>
    async (...args) => {
      if (args[0] === '') throw wrongUse('The id is empty. Is the shell variable set?');
      const { url: urlOption, key, by, json: isJson = false } = program.opts();
      const url = findUrl(urlOption, terminal);
      const name = findName(by, terminal);
      const client = createClient(url, await findKey(key, terminal, url), name, terminal.interrupted);
      const show = (view: unknown, text: string, verdict = '') =>
        terminal.out(isJson ? `${JSON.stringify(view, undefined, 2)}\n` : endingIn(verdict, text, terminal));
      const called = calledAs(argv);
      exitCode = (await command({ client, terminal, isJson, called, show }, ...args)) ?? exitCodes.done;
    };
  for (const add of commands) add(program, run);
  program.addHelpText('after', moreHelp);
  await program.parseAsync(checkedWords(argv, program), { from: 'user' });
  return exitCode;
}

/** In the order of a bad night. */
const commands = [
  addStatus,
  addBackup,
  addSnapshotCommands,
  addSwitches,
  addRestore,
  addRole,
  addWatch,
  addCancel,
  addRestoreCommands,
  addLists,
  addAudit,
  addDrill,
  addTestAlert,
  addCompare,
  addErasureCommands,
  addFeedback,
  addDoctor,
];

/** Guards against what the parser lets pass: an option as another's value, a quoted key, help for an unknown command. */
function checkedWords(argv: readonly string[], program: Command): string[] {
  const options = new Map([program, ...program.commands].flatMap((one) => one.options.map((o) => [o.long, o])));
  const words = argv.map((word, at) => {
    if (options.get(word)?.required === true && argv[at + 1]?.startsWith('-') === true) {
      throw wrongUse(
        `${word} needs a value. If you wrote a variable, it is empty; if the value starts with "-", write ${word}=VALUE.`,
      );
    }
    // The parser would quote all of a misspelt `--kye=…`.
    const [name = ''] = word.split('=', 1);
    return word.startsWith('--') && !options.has(name) ? name : word;
  });
  const named = words[0] === 'help' ? words.slice(1) : words;
  const isUnknown = named[0]?.startsWith('-') === false && !program.commands.some((one) => one.name() === named[0]);
  return isUnknown ? named.filter((word) => word !== '--help' && word !== '-h') : words;
}
