import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { z } from 'zod';

const chaos = fileURLToPath(new URL('../../local/chaos.ts', import.meta.url));

test('hosts killed, hubs and storage that misbehave change nothing about who is reached', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [chaos, '--devices', '600', '--seed', '5', '--json']);
  const report: unknown = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  expect(report).toMatchObject({ seed: 5, verdict: 'pass', deliveredNever: 0, deliveredMoreThanOnce: 0 });
  expect(Object.keys(Object(report))).toEqual([
    ...['seed', 'faultsInjected', 'kills', 'devices'],
    ...['deliveredOnce', 'deliveredNever', 'deliveredMoreThanOnce', 'verdict'],
  ]);
  const { faultsInjected } = z.object({ faultsInjected: z.record(z.string(), z.number()) }).parse(report);
  expect(faultsInjected['storage-503']).toBeGreaterThan(0);
}, 600_000);
