import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { readOptions, refuse, wholeNumber } from './options.ts';

const help = `Runs what takes too long for each change.

  npm run soak -- [--only NAME] [--devices N] [--rate R] [--seeds N]

  --only NAME  night: a restore while a backup of the dead primary is in flight, beside one in a calm night
               tests: those that are too long for CI: the drill in a storm, and with a planted fault; all cases of properties
               simulation: npm run simulate with many seeds
               (default: all)
  --devices N  devices of the night (default: 20000)
  --rate R     requests a second that its secondary takes (default: 50)
  --seeds N    seeds of the simulation (default: 20000)
  --help

Exit codes: 0 all is as it should be; 1 something is not; 2 wrong options.
`;

const parts = ['night', 'tests', 'simulation'] as const;

const values = readOptions(help, {
  only: { type: 'string' },
  devices: { type: 'string', default: '20000' },
  rate: { type: 'string', default: '50' },
  seeds: { type: 'string', default: '20000' },
});
const chosen = parts.filter((part) => values.only === undefined || values.only === part);
if (chosen.length === 0) refuse(help, `--only must be ${parts.join(', ')}, not "${values.only}".`);

const simulation = fileURLToPath(new URL('../test/simulation/command.ts', import.meta.url));
const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));

/** A restore in the worst night takes at most this many times as long as in a calm one. */
const MOST_TIMES_CALM = 1.3;

process.exitCode = await main();

async function main(): Promise<number> {
  const devices = wholeNumber(help, 'devices', values.devices, 10);
  const rate = wholeNumber(help, 'rate', values.rate, 1);
  const seeds = wholeNumber(help, 'seeds', values.seeds, 1);
  let isPass = true;
  if (chosen.includes('night')) isPass = await compareNights(devices, rate);
  if (chosen.includes('tests')) isPass = (await runs(vitest, ['run', '--mode=soak'])) && isPass;
  if (chosen.includes('simulation')) isPass = (await runs(simulation, ['--seeds', String(seeds)])) && isPass;
  say(isPass ? 'PASS' : 'FAIL');
  return isPass ? 0 : 1;
}

async function compareNights(devices: number, writesPerSecond: number): Promise<boolean> {
  const { startStack } = await import('./stack.ts');
  const { rehearseWorstNight } = await import('./worst-night.ts');
  const settings = { BACKUP_SCHEDULE: '0 0 0 1 1 *' };
  const rehearse = async (isCalm: boolean) => {
    say(`${isCalm ? 'Calm' : 'Worst'} night with ${devices} devices, ${writesPerSecond} requests a second`);
    await using stack = await startStack({ devices, seed: 1, settings });
    return await rehearseWorstNight(stack, { devices, seed: 1, say, writesPerSecond, isCalm, patienceMs: 60_000 });
  };
  const [calm, worst] = [await rehearse(true), await rehearse(false)];
  const times = worst.restoreSeconds / calm.restoreSeconds;
  say(`   the worst night took ${times.toFixed(2)} times as long as the calm one`);
  return calm.verdict === 'pass' && worst.verdict === 'pass' && times <= MOST_TIMES_CALM;
}

async function runs(program: string, options: readonly string[]): Promise<boolean> {
  const child = spawn(process.execPath, [program, ...options], { stdio: 'inherit' });
  const [code] = await once(child, 'close');
  return code === 0;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
