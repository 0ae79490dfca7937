import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bench, type Plan } from './bench.ts';
import { renderReport } from './report.ts';

const help = `Measures backup and restore beside peers that do the same with the official SDK, and beside bare loops.

  npm run bench -- [options]

  --quick          20,000 devices at 0 and 5 ms, one run each: a check that everything runs
  --runs N         runs of each case, of which the median counts (default: 3)
  --devices LIST   sizes (default: 20000,200000,1000000); with it, no limited hub and no two hosts
  --latency LIST   milliseconds the hub adds to each answer (default: 0,5,50; 50 for up to 200,000 devices)
  --app DIR        the app that is measured (default: this project, built)
  --json           the last line of stdout is one JSON object with all figures
  --help

Linux only: processor time and memory are read from /proc. Exit codes: 0 all counts right; 1 not; 2 wrong options.
`;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    runs: { type: 'string' },
    devices: { type: 'string' },
    latency: { type: 'string' },
    app: { type: 'string', default: fileURLToPath(new URL('../..', import.meta.url)) },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

// An orderly exit ends azurite and the host, too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

if (values.help) process.stdout.write(help);
else process.exitCode = await main();

async function main(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  const clean = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', clean);
  try {
    const result = await bench({ ...planOf(), appDir: values.app, folder, say });
    const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}`;
    say(`\n${renderReport(result, machine)}`);
    if (values.json) process.stdout.write(`${JSON.stringify({ machine, ...result })}\n`);
    return 0;
  } finally {
    clean();
  }
}

function planOf(): Plan {
  return {
    runs: wholes('runs', values.quick ? '1' : '3')[0] ?? 1,
    devices: wholes('devices', values.quick ? '20000' : '20000,200000,1000000'),
    latencies: wholes('latency', values.quick ? '0,5' : '0,5,50'),
    // A rate needs no whole restore.
    maxRestoreSeconds: values.quick ? 4 : 20,
    hasExtras: !values.quick && values.devices === undefined,
  };
}

function wholes(name: 'runs' | 'devices' | 'latency', standard: string): number[] {
  const numbers = (values[name] ?? standard).split(',').map(Number);
  if (numbers.every((number) => Number.isInteger(number) && number >= 0)) return numbers;
  process.stderr.write(`--${name} takes whole numbers.\n\n${help}`);
  process.exit(2);
}

/** With `--json` the readable part goes to stderr, so that stdout is the object alone. */
function say(line: string): void {
  (values.json ? process.stderr : process.stdout).write(`${line}\n`);
}
