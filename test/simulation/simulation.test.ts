import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { plants } from './planted/plants.ts';

const command = fileURLToPath(new URL('command.ts', import.meta.url));
const run = promisify(execFile);

/** What the command prints, also when it finds something. */
async function simulate(...options: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [command, ...options]).catch(
    (error: { readonly stdout: string }) => error,
  );
  return stdout;
}

/** What the app is known to get wrong. To be emptied: nothing else may be found. */
const KNOWN = ['deviceRemoved', 'overwrittenByOlder'];

/** Rare things that some of the seeds must meet, or the simulation is blind for what they do. */
const SOMETIMES = [
  'app: listing interrupted',
  'app: quiet run is enqueued again',
  'app: step superseded',
  'backupOfABusyHub',
  'deadlinePassedInACall',
  'deviceIdRefused',
  'drill Passed',
  'hostDied',
  'hostPaused',
  'hostPausedLong',
  'messageAbandoned',
  'messageDoubled',
  'messageLate',
  'messageLost',
  'operator days',
  'operator failover',
  'operator wipe',
  'overwroteInItsWindow',
  'renewed',
  'restore Canceled',
  'restore Failed RestoreIncomplete',
  'retry Succeeded',
  'rollback Succeeded',
  'serviceLostARow',
  'tokenRefreshed',
  'upgraded',
];

test('200 seeds find nothing that is not known, and meet every rare branch', async () => {
  const printed = await simulate('--seeds', '200');
  expect(printed).toContain('200 seeds from 1');
  const found = [...printed.matchAll(/^VIOLATION (\w+?)(?:Later)?:/gm)].map(([, kind]) => kind);
  expect(found.filter((kind) => !KNOWN.includes(kind ?? ''))).toEqual([]);
  const met = new Set([...printed.matchAll(/^sometimes (.+): \d+$/gm)].map(([, what]) => what));
  expect(SOMETIMES.filter((what) => !met.has(what))).toEqual([]);
});

test('the same seeds give the same traces', async () => {
  const hashOf = (printed: string): string | undefined => /^hash (\w+)$/m.exec(printed)?.[1];
  const first = hashOf(await simulate('--seeds', '20', '--hash'));
  expect(first).toMatch(/^[0-9a-f]{64}$/);
  expect(hashOf(await simulate('--seeds', '20', '--hash'))).toBe(first);
});

test('a trace tells what happened, with its time', async () => {
  expect(await simulate('--seed', '7', '--trace')).toMatch(/^ +\d+\.\d{3} ASK h\d backup$/m);
});

describe('a known bug in a copy of the app', () => {
  let lines: readonly string[] = [];
  beforeAll(async () => {
    lines = (await simulate('--planted', 'all', '--stored', '--seeds', '60')).split('\n');
  });

  test.for(Object.keys(plants))('%s: its seed, or one of the next, finds it', (name) => {
    expect(lines.find((line) => line.startsWith(`${name}  `))).toMatch(/ found by seed /);
  });
});
