import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readOptions, refuse, wholeNumber } from '../../local/options.ts';
import type { Plan } from './benchmark.ts';
import { contenders, extras } from './figures.ts';

export interface BenchCommand {
  readonly plan: Plan;
  readonly isJson: boolean;
  /** Files to report; nothing is measured then. */
  readonly report: readonly string[];
}

const project = fileURLToPath(new URL('../..', import.meta.url));
const subjects = [...contenders, ...extras];

const help = `npm run bench -- [options]

Measures backup and restore beside peers that do the same with the official SDK, and beside bare loops.

  --quick           20,000 devices at 0 and 5 ms, one run each: checks that everything runs
  --runs N          runs of each case, of which the median counts (default: 3)
  --devices LIST    sizes (default: 20000,200000,1000000); then nothing of one size
  --latency LIST    milliseconds the hub adds to each answer (default: 0,5,50; 50 up to 200,000)
  --only LIST       who runs, of ${subjects.join(', ')};
                    a restore needs a backup before it and a dry run a restore: what is needed runs, too
  --tls             each case over TLS, too, beside bare loops over TLS; without the SDK
  --concurrency N   MAX_CONCURRENCY of one host and of two (default: 16)
  --app DIR         the app that is measured (default: this project, built)
  --profile DIR     the app's host writes a .cpuprofile for each case
  --json            after every run of a size, one line on stdout with all figures so far as JSON
  --report A,B...   measures nothing: one report of what --json wrote, each file's last line
  --help            shows this

Linux only: processor time and memory are read from /proc. Exit code 2: wrong options.
`;

const text = { type: 'string' } as const;
const flag = { type: 'boolean', default: false } as const;

/** After `--help` and after a wrong option the process ends. */
export function parseOptions(args: readonly string[]): BenchCommand {
  const sizes = { runs: text, devices: text, latency: text, concurrency: text };
  const given = readOptions(
    help,
    { ...sizes, quick: flag, tls: flag, only: text, app: text, profile: text, json: flag, report: text },
    args,
  );
  const { quick, only, profile, app = project, json, report } = given;
  const wholes = (name: keyof typeof sizes, list: readonly number[]): readonly number[] =>
    given[name]?.split(',').map((one) => wholeNumber(help, name, one)) ?? list;
  const whole = (name: keyof typeof sizes, value: number): number => wholes(name, [value])[0] ?? value;
  const hasExtras = !quick && given.devices === undefined;
  const plan: Plan = {
    runs: whole('runs', quick ? 1 : 3),
    devices: wholes('devices', quick ? [20_000] : [20_000, 200_000, 1_000_000]),
    latencies: wholes('latency', quick ? [0, 5] : [0, 5, 50]),
    only: only === undefined ? (hasExtras ? subjects : contenders) : subjectsOf(only),
    // A rate needs no whole restore.
    maxRestoreSeconds: quick ? 4 : 20,
    hasTls: given.tls,
    hasPackage: only === undefined,
    concurrency: whole('concurrency', 16),
    appDir: app,
    ...(profile === undefined ? {} : { profileDir: resolve(profile) }),
  };
  return { plan, isJson: json, report: report?.split(',') ?? [] };
}

function subjectsOf(list: string): (typeof subjects)[number][] {
  const names = list.split(',');
  const unknown = names.filter((name) => !subjects.some((known) => known === name));
  if (unknown.length > 0) refuse(help, `Unknown: "${unknown.join('", "')}". It takes ${subjects.join(', ')}.`);
  return subjects.filter((known) => names.includes(known));
}
