import { parseArgs } from 'node:util';
import { WrongUse } from './errors.ts';
import { nearest } from './nearest.ts';

/** Every option of every command. `commands.ts` says which command takes which. */
const options = {
  url: { type: 'string' },
  key: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
  watch: { type: 'boolean' },
  snapshot: { type: 'string' },
  target: { type: 'string' },
  'dry-run': { type: 'boolean' },
  'only-platforms': { type: 'string' },
  'only-tags': { type: 'string' },
  'only-installations': { type: 'string' },
  'only-users': { type: 'string' },
  order: { type: 'string', multiple: true },
  confirm: { type: 'string' },
  note: { type: 'string' },
  id: { type: 'string' },
} as const;

export type OptionName = keyof typeof options;

/** What was typed. Options not given are `undefined`. */
export type Values = ReturnType<typeof parse>['values'];

export interface CommandLine {
  readonly values: Values;
  /** The command and what follows it. */
  readonly words: readonly string[];
}

/** Throws `WrongUse` for an option that does not exist, lacks its value, or has one too many. */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  try {
    const { values, positionals } = parse(argv);
    return { values, words: positionals };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const unknown = /^Unknown option '(--?[^']*)'/.exec(error.message)?.[1];
    if (unknown === undefined) throw new WrongUse(error.message);
    const meant = nearest(
      unknown,
      Object.keys(options).map((name) => `--${name}`),
    );
    throw new WrongUse(`There is no option ${unknown}.${meant === undefined ? '' : ` Did you mean ${meant}?`}`);
  }
}

/** The options that were given, of those a command may or may not take. */
export function givenOptions(values: Values): OptionName[] {
  return Object.keys(options)
    .filter(isOptionName)
    .filter((name) => values[name] !== undefined && values[name] !== false);
}

function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(options, name);
}

function parse(argv: readonly string[]) {
  return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
}
