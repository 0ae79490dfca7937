import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { dualPlants } from './plants.ts';

const command = fileURLToPath(new URL('../command.ts', import.meta.url));

interface Checked {
  readonly found: readonly string[];
  readonly planted: readonly string[];
  readonly hashes: readonly string[];
}

let checked: Checked;
beforeAll(async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [command, '--dual', '--check', '1']);
  checked = JSON.parse(stdout);
}, 240_000);

/** Without these the simulation would be blind for what they do. */
const SOMETIMES = [
  'app: intended write left',
  'attemptAstray',
  'deadlinePassedInACall',
  'delete died',
  'delete other queued',
  'erased, 1 dropped',
  'failover',
  'handle other queued',
  'hubAway asksLater',
  'hubAway hangs',
  'hubAway refuses',
  'idRefused',
  'messageAbandoned',
  'messageDoubled',
  'messageLate',
  'messageLost',
  'processDied',
  'processPaused',
  'put HubUnavailable queued',
  'put Refused',
  'put StorageUnavailable',
  'put died',
  'put other ok',
  'put other queued',
  'tag NotFound',
  'tag other queued',
];

test('backends that die and hubs that are away leave both hubs alike, each device once and as it was last written', () => {
  const printed = checked.found.join('\n');
  expect([...printed.matchAll(/^VIOLATION .*$/gm)].map(([line]) => line)).toEqual([]);
  const met = new Set([...printed.matchAll(/^sometimes (.+): \d+$/gm)].map(([, what]) => what));
  expect(SOMETIMES.filter((what) => !met.has(what))).toEqual([]);
});

test('the same seed tells the same', () => {
  const [first, second] = checked.hashes;
  expect(first).toMatch(/^[0-9a-f]{64}$/);
  expect(second).toBe(first);
});

test.for(Object.keys(dualPlants))(
  'a known bug of dual writes is found by its seed, or by one of the next: %s',
  (name) => {
    expect(checked.planted.find((line) => line.startsWith(`${name}  `))).toMatch(/ found by seed /);
  },
);
