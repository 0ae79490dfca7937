import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkBars } from './bars.ts';
import { type BenchResult, type Contender, emptyResult, mergeResults, readResult, type Sample } from './measures.ts';
import { renderReport } from './report.ts';

test('parts of a bench make one report: runs of a case together, sizes side by side', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'report-'));
  try {
    const small = aResult([aSample('backup', { seconds: 10 }), aSample('sdk-backup', { seconds: 90 })]);
    const again = aResult([aSample('backup', { seconds: 14 }), aSample('backup', { seconds: 15 })]);
    const large = aResult([aSample('backup', { seconds: 63, devices: 1_000_000, count: 1_000_000 })]);
    const files = [small, again, large].map((result, at) => ({ path: join(folder, `${at}`), result }));
    // As --json leaves them: what was known in between, then all of it.
    for (const { path, result } of files) {
      await writeFile(path, `${JSON.stringify(emptyResult('here'))}\n${JSON.stringify(result)}\n`);
    }
    const merged = mergeResults(await Promise.all(files.map(({ path }) => readResult(path))));
    expect(merged.machine).toBe('here');
    const report = renderReport(merged);
    expect(report).toContain('### 200,000 devices, 0 ms');
    expect(report).toContain('| ours | 14,286 | 6.43 |');
    expect(report).toContain('| backup: seconds | 14.0 | 63.0 | 4.50 |');
    expect(named(merged, 'backup: time')).toMatchObject({ limit: '<= 5.5', found: '4.50', isMet: true });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a file that holds no result is refused by name', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'report-'));
  try {
    const path = join(folder, 'other.json');
    await writeFile(path, '{"samples":[]}\n');
    await expect(readResult(path)).rejects.toThrow('other.json');
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a report of nothing, and of a single contender, has no holes and no bar that cannot be judged', () => {
  expect(renderReport(emptyResult('here'))).toBe('here\n\n');
  for (const contender of ['bare-list', 'bare-put', 'restore', 'dry-run'] as const) {
    const report = renderReport(aResult([aSample(contender, { parts: { scan1: 1, reconcile1: 2 } })]));
    expect(report).toContain('### 200,000 devices, 0 ms');
    expect(report).not.toMatch(/NaN|undefined|Infinity/);
  }
});

test('the whole restore is judged without its settling wait, and shown with it', () => {
  const parts = { scan1: 1, seal1: 1, reconcile1: 20, settle: 10, scan2: 8 };
  const result = aResult([aSample('restore', { seconds: 40, parts }), aSample('bare-put', { seconds: 12 })]);
  expect(named(result, 'whole restore')).toMatchObject({
    found: '0.40',
    isMet: true,
    beside: 'with the wait of 10 s 0.30',
  });
  expect(named(result, 'writing phase')).toMatchObject({ found: '0.60', limit: '>= 0.6', isMet: true });
});

test('what is deployed and what a status costs are bars, too', () => {
  const status = { devices: 200_000, latencyMs: 5, count: 9, medianMs: 5, p99Ms: 310 };
  const result: BenchResult = {
    ...aResult([]),
    packages: [{ bytes: 3e6, bundledMs: [190, 200, 210], unbundledMs: [380, 390, 500] }],
    status: [{ ...status, requests: { readiness: 3, restore: 4 } }],
  };
  expect(checkBars(result).map(({ found, isMet }) => [found, isMet])).toEqual([
    ['3.00', true],
    ['200.00', true],
    ['0.51', false],
    ['3.00', true],
    ['4.00', false],
    ['310.00', false],
  ]);
});

function aSample(contender: Contender, changes: Partial<Sample> = {}): Sample {
  const cost = { seconds: 10, cpuSeconds: 8, serverCpuSeconds: 2, peakBytes: 300 * 2 ** 20 };
  return { contender, devices: 200_000, latencyMs: 0, count: 200_000, ...cost, ...changes };
}

function aResult(samples: Sample[]): BenchResult {
  return { ...emptyResult('here'), samples };
}

function named(result: BenchResult, start: string) {
  return checkBars(result).find(({ name }) => name.startsWith(start));
}
