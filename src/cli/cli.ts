import { createClient, isClearText, parseUrl } from './client.ts';
import type { Call, Command } from './command.ts';
import { commands } from './commands.ts';
import { ApiRefusal, Away, exitCodes, Interrupted, NotOurs, WrongUse } from './errors.ts';
import { helpText } from './help.ts';
import { nearest } from './nearest.ts';
import { givenOptions, parseCommandLine, type Values } from './options.ts';
import type { Terminal } from './terminal.ts';

/** Carries out one command line and gives its exit code. Faults of any kind become a message on stderr. */
export async function runCli(argv: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await carryOut(argv, terminal);
  } catch (error) {
    if (argv.includes('--json') && !(error instanceof Interrupted)) {
      terminal.out(`${JSON.stringify({ error: { code: codeOf(error), message: messageOf(error) } }, undefined, 2)}\n`);
    }
    terminal.err(`${error instanceof ApiRefusal ? `${error.code}: ` : ''}${messageOf(error)}\n`);
    if (error instanceof Interrupted) return exitCodes.interrupted;
    return error instanceof WrongUse ? exitCodes.wrongUse : exitCodes.failed;
  }
}

async function carryOut(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { values, words } = parseCommandLine(argv);
  const [name, ...rest] = words[0] === 'help' ? words.slice(1) : words;
  const isHelp = values.help || words[0] === 'help';
  if (name === undefined) {
    (isHelp ? terminal.out : terminal.err)(helpText());
    return isHelp ? exitCodes.done : exitCodes.wrongUse;
  }
  const command = findCommand(name);
  if (isHelp) {
    terminal.out(helpText(command));
    return exitCodes.done;
  }
  checkOptions(command, values);
  const argument = argumentOf(command, rest);
  const url = urlOf(values, terminal);
  const client = createClient(url, await keyOf(values, terminal, url), terminal.interrupted);
  const show: Call['show'] = (view, text) =>
    terminal.out(values.json ? `${JSON.stringify(view, undefined, 2)}\n` : text);
  return command.run({ client, terminal, values, argument, show });
}

function findCommand(name: string): Command {
  const command = commands.find((candidate) => candidate.name === name);
  if (command !== undefined) return command;
  const names = commands.map((one) => one.name);
  const meant = nearest(name, names);
  throw new WrongUse(
    `There is no command '${name}'. ${meant === undefined ? `There are ${names.join(', ')}.` : `Did you mean ${meant}?`}`,
  );
}

const optionsOfAll: ReadonlySet<string> = new Set(['url', 'key', 'json', 'help']);

function checkOptions({ name, options }: Command, values: Values): void {
  const taken: ReadonlySet<string> = new Set(options);
  const stray = givenOptions(values).find((option) => !optionsOfAll.has(option) && !taken.has(option));
  if (stray !== undefined) throw new WrongUse(`${name} takes no --${stray}. See: notification-hubs-dr ${name} --help`);
}

function argumentOf({ name, argument }: Command, rest: readonly string[]): string {
  const [first = '', second] = rest;
  if (argument === undefined && first !== '') throw new WrongUse(`${name} takes no '${first}'.`);
  if (argument !== undefined && first === '') {
    throw new WrongUse(`${name} needs an id: notification-hubs-dr ${name} ${argument}`);
  }
  if (second !== undefined) throw new WrongUse(`${name} takes one id, and '${second}' is a second one.`);
  return first;
}

function urlOf(values: Values, terminal: Terminal): string {
  const text = values.url ?? terminal.env['NOTIFICATION_HUBS_DR_URL'] ?? '';
  if (text === '') {
    throw new WrongUse(
      'Where is the app? export NOTIFICATION_HUBS_DR_URL=https://my-dr-app.azurewebsites.net, or add --url.',
    );
  }
  const url = parseUrl(text);
  if (isClearText(url))
    terminal.err(`Warning: ${new URL(url).host} is called without https, and the key goes unencrypted.\n`);
  return url;
}

async function keyOf(values: Values, terminal: Terminal, url: string): Promise<string> {
  const told = values.key ?? terminal.env['NOTIFICATION_HUBS_DR_KEY'] ?? '';
  const key = told === '' ? await terminal.ask?.(`Function key of ${url}: `, { isHidden: true }) : told.trim();
  if (key === undefined || key === '') {
    throw new WrongUse(
      'The function key is missing: export NOTIFICATION_HUBS_DR_KEY="$(az functionapp keys list -g GROUP -n APP --query functionKeys.default -o tsv)"',
    );
  }
  // A header takes nothing else, and the error for it would quote the key.
  if (!/^[\x21-\x7e]+$/.test(key)) throw new WrongUse('The function key holds characters no key has. Copy it again.');
  return key;
}

function codeOf(error: unknown): string {
  if (error instanceof ApiRefusal) return error.code;
  if (error instanceof WrongUse) return 'WrongUse';
  return error instanceof Away || error instanceof NotOurs ? 'NotReached' : 'Unexpected';
}

function messageOf(error: unknown): string {
  if (error instanceof Away) {
    return `${error.message}. Check the address and the network, and that the app runs; then try again.`;
  }
  return error instanceof Error ? error.message : String(error);
}
