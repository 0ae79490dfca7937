import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from '@commander-js/extra-typings';
import type { Plan } from './benchmark.ts';
import { type Contender, contenders } from './measures.ts';
import { wholes } from './tool.ts';

export interface BenchCommand {
  readonly plan: Plan;
  readonly appDir: string;
  readonly isJson: boolean;
  /** Files to report; nothing is measured then. */
  readonly report: readonly string[];
}

const project = fileURLToPath(new URL('../..', import.meta.url));

const command = new Command('npm run bench --')
  .description(
    'Measures backup and restore beside peers that do the same with the official SDK, and beside bare loops.',
  )
  .option('--quick', '20,000 devices at 0 and 5 ms, one run each: checks that everything runs', false)
  .option('--runs <n>', 'runs of each case, of which the median counts (default: 3)', wholes)
  .option('--devices <list>', 'sizes (default: 20000,200000,1000000); then no limited hub and no two hosts', wholes)
  .option('--latency <list>', 'milliseconds the hub adds to each answer (default: 0,5,50; 50 up to 200,000)', wholes)
  .option(
    '--only <list>',
    `who runs, of ${contenders.join(', ')}; a restore needs a backup before it and a dry run a restore: what is needed runs, too. Then nothing else is measured`,
    contendersOf,
  )
  .option('--app <dir>', 'the app that is measured (default: this project, built)', project)
  .option('--profile <dir>', "the app's host writes a .cpuprofile for each case; test/bench/profile.ts sums one up")
  .option('--json', 'after every run of a size, one line on stdout with all figures so far as JSON', false)
  .option('--report <files...>', "measures nothing: one report of what --json wrote, each file's last line")
  .addHelpText(
    'after',
    '\nLinux only: processor time and memory are read from /proc.\nExit codes: 0 all counts right; 1 not; 2 wrong options.',
  );

/** @throws CommanderError: its message says what is wrong; its exit code is 0 after help */
export function parseOptions(args: readonly string[]): BenchCommand {
  command.exitOverride();
  const { quick, only, profile, app, json, report = [], ...given } = command.parse(args, { from: 'user' }).opts();
  const plan: Plan = {
    runs: given.runs?.[0] ?? (quick ? 1 : 3),
    devices: given.devices ?? (quick ? [20_000] : [20_000, 200_000, 1_000_000]),
    latencies: given.latency ?? (quick ? [0, 5] : [0, 5, 50]),
    only: only ?? contenders,
    // A rate needs no whole restore.
    maxRestoreSeconds: quick ? 4 : 20,
    hasPackage: only === undefined,
    hasExtras: !quick && only === undefined && given.devices === undefined,
    ...(profile === undefined ? {} : { profileDir: resolve(profile) }),
  };
  return { plan, appDir: app, isJson: json, report };
}

/** Ends as a wrong option does. */
export function refuse(error: unknown): never {
  return command.error(error instanceof Error ? error.message : String(error));
}

function contendersOf(text: string): Contender[] {
  const names = text.split(',');
  const unknown = names.filter((name) => !contenders.some((known) => known === name));
  if (unknown.length > 0) {
    throw new InvalidArgumentError(`Unknown: "${unknown.join('", "')}". It takes ${contenders.join(', ')}.`);
  }
  return contenders.filter((known) => names.includes(known));
}
