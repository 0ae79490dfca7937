import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const chaos = fileURLToPath(new URL('../../local/chaos.ts', import.meta.url));

test('hosts killed and hubs that misbehave change nothing about who is reached', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [chaos, '--devices', '600', '--seed', '5', '--json']);
  const report: unknown = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  expect(report).toMatchObject({ seed: 5, verdict: 'pass', deliveredNever: 0, deliveredMoreThanOnce: 0 });
}, 300_000);
