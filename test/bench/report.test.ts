import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkBars } from './bars.ts';
import { type BenchResult, mergeResults, readResult, type Sample } from './figures.ts';
import { renderReport } from './report.ts';

test('parts of a bench make one report: runs of a case together, sizes side by side', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'report-'));
  const small = aResult([aSample('backup', { perSecond: 20_000 }), aSample('sdk-backup', { perSecond: 2222 })]);
  const again = aResult([aSample('backup', { perSecond: 14_286 }), aSample('backup', { perSecond: 13_333 })]);
  const large = aResult([{ ...aSample('backup', { seconds: 63, workingSeconds: 45 }), devices: 1_000_000 }]);
  const files = [small, again, large].map((result, at) => ({ path: join(folder.path, `${at}`), result }));
  // As --json leaves them: what was known in between, then all of it.
  for (const { path, result } of files) {
    await writeFile(path, `${JSON.stringify(aResult([]))}\n${JSON.stringify(result)}\n`);
  }
  const merged = mergeResults(await Promise.all(files.map(({ path }) => readResult(path))));
  expect(merged.machine).toBe('here');
  const report = renderReport(merged);
  expect(report).toContain('### 200,000 devices, 0 ms');
  expect(report).toContain('| ours | 14,286 | 6.43 |');
  expect(report).toContain('| backup: seconds | 10.0 | 63.0 | 6.30 |');
  expect(named(merged, 'backup: time')).toMatchObject({ limit: '<= 5.5', found: 4.5, isMet: true });
});

test('a file that holds no result is refused by name', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'report-'));
  const path = join(folder.path, 'other.json');
  await writeFile(path, '{"samples":[]}\n');
  await expect(readResult(path)).rejects.toThrow('other.json');
});

test('a report of nothing, and of a single contender, has no holes and no bar that cannot be judged', () => {
  expect(renderReport(aResult([]))).toBe('here\n\n');
  for (const subject of ['bare-list', 'bare-put', 'restore', 'dry-run', 'status', 'throttled'] as const) {
    const report = renderReport(aResult([aSample(subject, { scan1: 1, reconcile1: 2 })]));
    expect(report).toContain('200,000 devices, 0 ms');
    expect(report).not.toMatch(/NaN|undefined|Infinity/);
  }
});

test('the whole restore is judged without its settling wait, and shown with it', () => {
  const rates = { perSecond: 5000, unsettled: 6667, writing: 10_000, settle: 10 };
  const result = aResult([aSample('restore', rates), aSample('bare-put', { perSecond: 16_667 })]);
  const whole = named(result, 'whole restore');
  expect(whole).toMatchObject({ isMet: true, beside: 'with the wait of 10 s 0.30' });
  expect(whole?.found).toBeCloseTo(0.4);
  expect(named({ ...result }, 'writing phase')).toMatchObject({ limit: '>= 0.6', isMet: false });
});

test('what is deployed and what a status costs are bars, too', () => {
  const result = aResult([
    aSample('package', { megabytes: 3, coldLoadMs: 200, unbundledColdLoadMs: 390 }),
    aSample('status', { p99Ms: 310, requestsForReadiness: 3, requestsForRestore: 4 }),
  ]);
  expect(checkBars(result).map(({ found, isMet }) => [found.toFixed(2), isMet])).toEqual([
    ['3.00', true],
    ['200.00', true],
    ['0.51', false],
    ['3.00', true],
    ['4.00', false],
    ['310.00', false],
  ]);
});

test('TLS is held to bare loops over TLS, and to what plain HTTP reaches in the same run', () => {
  const of = (isTls: boolean, latencyMs: number, writing: number, cpuPer100k: number): Sample[] => [
    aSample('bare-list', {}, { isTls, latencyMs }),
    aSample('backup', { scan1: 12.5, cpuPer100k }, { isTls, latencyMs }),
    aSample('bare-put', {}, { isTls, latencyMs }),
    aSample('restore', { writing, cpuPer100k }, { isTls, latencyMs }),
  ];
  const result = aResult([...of(false, 0, 16_000, 10), ...of(true, 0, 14_000, 12), ...of(true, 5, 13_000, 11)]);
  const bars = checkBars(result).filter(({ name }) => name.startsWith('TLS'));
  expect(bars.map(({ limit, found, isMet }) => [limit, found.toFixed(2), isMet])).toEqual([
    ['>= 0.9', '0.87', false],
    ['<= 1.15', '1.20', false],
    ['<= 1.15', '1.20', false],
    ['>= 0.8', '0.80', true],
    ['>= 0.6', '0.65', true],
  ]);
});

function aSample(subject: Sample['subject'], figures: Sample['figures'], where: Partial<Sample> = {}): Sample {
  const usual = { count: 200_000, seconds: 10, workingSeconds: 10, perSecond: 20_000 };
  return { subject, devices: 200_000, latencyMs: 0, isTls: false, figures: { ...usual, ...figures }, ...where };
}

function aResult(samples: Sample[]): BenchResult {
  return { machine: 'here', samples };
}

function named(result: BenchResult, start: string) {
  return checkBars(result).find(({ name }) => name.startsWith(start));
}
