import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Plan } from './bench.ts';
import { type Contender, contenders } from './sample.ts';

export const help = `Measures backup and restore beside peers that do the same with the official SDK, and beside bare loops.

  npm run bench -- [options]
  npm run bench -- --report FILE...

  --quick          20,000 devices at 0 and 5 ms, one run each: a check that everything runs
  --runs N         runs of each case, of which the median counts (default: 3)
  --devices LIST   sizes (default: 20000,200000,1000000); with it, no limited hub and no two hosts
  --latency LIST   milliseconds the hub adds to each answer (default: 0,5,50; 50 for up to 200,000 devices)
  --only LIST      who runs, of ${contenders.join(', ')}; a restore needs a backup
                   before it and a dry run a restore: what is needed runs, too. With it, nothing but these is measured
  --app DIR        the app that is measured (default: this project, built)
  --profile DIR    the app's host writes a .cpuprofile for each case into it; node test/bench/profile.ts FILE sums it up
  --json           after every run of a size, one line on stdout with all figures so far as JSON; the last has them all
  --report         measures nothing: prints one report of what was written by --json, each FILE's last line
  --help

Linux only: processor time and memory are read from /proc. Exit codes: 0 all counts right; 1 not; 2 wrong options.
`;

export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'report'; readonly files: readonly string[] }
  | { readonly kind: 'bench'; readonly plan: Plan; readonly appDir: string; readonly isJson: boolean };

/** The command line is wrong; the message says how. */
export class OptionError extends Error {}

/** @throws OptionError */
export function parseOptions(args: readonly string[]): Command {
  const { values, positionals } = readArguments(args);
  if (values.help) return { kind: 'help' };
  if (values.report) {
    if (positionals.length === 0) throw new OptionError('--report takes files.');
    return { kind: 'report', files: positionals };
  }
  if (positionals.length > 0) throw new OptionError(`Not an option: ${positionals.join(' ')}`);
  const { quick, only, profile } = values;
  const plan: Plan = {
    runs: wholes('runs', values.runs ?? (quick ? '1' : '3'))[0] ?? 1,
    devices: wholes('devices', values.devices ?? (quick ? '20000' : '20000,200000,1000000')),
    latencies: wholes('latency', values.latency ?? (quick ? '0,5' : '0,5,50')),
    only: only === undefined ? contenders : contendersOf(only),
    // A rate needs no whole restore.
    maxRestoreSeconds: quick ? 4 : 20,
    hasPackage: only === undefined,
    hasExtras: !quick && only === undefined && values.devices === undefined,
    ...(profile === undefined ? {} : { profileDir: resolve(profile) }),
  };
  return { kind: 'bench', plan, appDir: values.app, isJson: values.json };
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        quick: { type: 'boolean', default: false },
        runs: { type: 'string' },
        devices: { type: 'string' },
        latency: { type: 'string' },
        only: { type: 'string' },
        app: { type: 'string', default: fileURLToPath(new URL('../..', import.meta.url)) },
        profile: { type: 'string' },
        json: { type: 'boolean', default: false },
        report: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new OptionError(error instanceof Error ? error.message : String(error));
  }
}

function wholes(name: string, text: string): number[] {
  const numbers = text.split(',').map((item) => (item.trim() === '' ? Number.NaN : Number(item)));
  if (numbers.every((number) => Number.isInteger(number) && number >= 0)) return numbers;
  throw new OptionError(`--${name} takes whole numbers, not "${text}".`);
}

function contendersOf(text: string): Contender[] {
  const names = text.split(',');
  const unknown = names.filter((name) => !contenders.some((known) => known === name));
  if (unknown.length > 0) {
    throw new OptionError(`--only knows no "${unknown.join('", "')}"; it takes ${contenders.join(', ')}.`);
  }
  return contenders.filter((known) => names.includes(known));
}
