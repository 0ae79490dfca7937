import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { plants } from './planted/plants.ts';

const command = fileURLToPath(new URL('command.ts', import.meta.url));

/** The trace of this seed is compared with another process's: many kinds of things happen in it. */
const TRACED = '15';

interface Checked {
  /** As the command prints them: what was met, and what was found. */
  readonly found: readonly string[];
  /** What became of each known bug. */
  readonly planted: readonly string[];
  readonly trace: string;
}

/** Gives what it prints. */
async function simulate(...options: string[]): Promise<string> {
  // A seed leaves much short-lived garbage.
  const args = ['--max-semi-space-size=64', '--min-semi-space-size=64', command, ...options];
  return (await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 24 })).stdout;
}

let checked: Checked;
beforeAll(async () => {
  checked = JSON.parse(await simulate('--check', TRACED));
}, 480_000);

/** Rare things that some of the seeds must meet, or the simulation is blind for what they do. */
const SOMETIMES = [
  'app: listing interrupted',
  'app: lost steps are enqueued again',
  'app: step superseded',
  'backup Failed HubUnavailable',
  'backupOfABusyHub',
  'deadlinePassedInACall',
  'deviceIdRefused',
  'drill Passed',
  'hostDied',
  'hostPaused',
  'hostPausedLong',
  'hubAway asksLater',
  'hubAway hangs',
  'hubAway refuses',
  'messageAbandoned',
  'messageDoubled',
  'messageLate',
  'messageLost',
  'onlyTheCoreHealed',
  'operator days',
  'operator failover',
  'operator wipe',
  'overwroteInItsWindow',
  'renewed',
  'restore Canceled',
  'restore Failed HubUnavailable',
  'restore Failed RestoreIncomplete',
  'retry Succeeded',
  'rollback Succeeded',
  'hostStopped',
  'lastSyncDone',
  'sync Canceled Superseded',
  'sync Failed SyncStopped',
  'sync Succeeded',
  'serviceLostARow',
  'tokenRefreshed',
  'upgraded',
];

test('200 seeds find nothing new, and meet every rare branch', () => {
  const printed = checked.found.join('\n');
  expect([...printed.matchAll(/^VIOLATION .*$/gm)].map(([line]) => line)).toEqual([]);
  const met = new Set([...printed.matchAll(/^sometimes (.+): \d+$/gm)].map(([, what]) => what));
  expect(SOMETIMES.filter((what) => !met.has(what))).toEqual([]);
});

test('a trace tells what happened, with its time, and is the same in each process', async () => {
  const printed = await simulate('--seed', TRACED, '--trace');
  expect(printed).toMatch(/^ +\d+\.\d{3} ASK h\d backup$/m);
  expect(printed.startsWith(`${checked.trace}\n`)).toBe(true);
});

test.for(Object.keys(plants))(
  'a known bug in a copy of the app is found by its seed, or by one of the next: %s',
  (name) => {
    expect(checked.planted.find((line) => line.startsWith(`${name}  `))).toMatch(/ found by seed /);
  },
);
