import { readFileSync } from 'node:fs';
import { metrics, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { expect, onTestFinished, test } from 'vitest';
import { startBackup } from '../../src/app/backup/start.ts';
import { startDrill } from '../../src/app/drill/start.ts';
import { noteOnCard } from '../../src/app/readiness/card-store.ts';
import { readStatus } from '../../src/app/readiness/status.ts';
import { runStep } from '../../src/app/steps/run-step.ts';
import { watch } from '../../src/app/watchdog.ts';
import { DrError } from '../../src/core/errors.ts';
import { alertCodes } from '../../src/core/readiness/alerts.ts';
import { isOver } from '../../src/core/run/run.ts';
import { parseStep } from '../../src/core/run/step.ts';
import { metricTable } from '../../src/telemetry/metrics.ts';
import { inSpan, recordReadiness, recordRun } from '../../src/telemetry/record.ts';
import { beginRestore, deliverAsHost, runToEnd, seed } from '../support/drive.ts';
import { createEngine } from '../support/engine.ts';

/** Keeps in memory what is measured. */
function measure() {
  const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const spanExporter = new InMemorySpanExporter();
  const reader = new PeriodicExportingMetricReader({ exporter: metricExporter });
  const meters = new MeterProvider({ readers: [reader] });
  metrics.setGlobalMeterProvider(meters);
  trace.setGlobalTracerProvider(
    new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spanExporter })] }),
  );
  onTestFinished(async () => {
    metrics.disable();
    trace.disable();
    await meters.shutdown();
  });
  return {
    /** By name and attributes the last value, or the sum of a distribution. */
    async values(): Promise<ReadonlyMap<string, number>> {
      await meters.forceFlush();
      const found =
        metricExporter
          .getMetrics()
          .at(-1)
          ?.scopeMetrics.flatMap((scope) => scope.metrics) ?? [];
      return new Map(
        found.flatMap(({ descriptor, dataPoints }) =>
          dataPoints.map(({ attributes, value }) => [
            [descriptor.name.replace('notification_hubs_dr.', ''), ...Object.values(attributes)].join(' '),
            typeof value === 'number' ? value : (value.sum ?? Number.NaN),
          ]),
        ),
      );
    },
    names: () =>
      metricExporter
        .getMetrics()
        .flatMap(({ scopeMetrics }) =>
          scopeMetrics.flatMap((scope) => scope.metrics.map(({ descriptor }) => descriptor.name)),
        ),
    spans: () => spanExporter.getFinishedSpans(),
  };
}

async function aMeasuredNight() {
  const measured = measure();
  const engine = createEngine({
    policy: { standbySync: 'afterBackup' },
    hasScratchHub: true,
    wrap: () => ({
      listeners: [
        noteOnCard,
        async (_, change) => {
          if (change.kind === 'run' && isOver(change.run)) recordRun(change.run);
        },
      ],
    }),
  });
  seed(engine, 120);
  const deliver = (text: string) => {
    const step = parseStep(JSON.parse(text));
    return inSpan(step, () => runStep(engine.app, step));
  };
  engine.secondary.intercept = (_, of) =>
    of === 'device-4' ? { kind: 'rejected', status: 400, reason: 'Rejected' } : undefined;
  const { listPage } = engine.primary;
  engine.primary.listPage = async () => {
    engine.primary.listPage = listPage;
    throw new DrError('HubUnavailable', 'The hub is down.', { retryable: true });
  };
  const { id } = await startBackup(engine.app, 'timer');
  await runToEnd(engine, 'backup', id, deliver);
  const restoreId = await beginRestore(engine.app);
  await runToEnd(engine, 'restore', restoreId, deliver);
  await startDrill(engine.app, 'http');
  await deliverAsHost(engine, deliver);
  engine.advance(90_000);
  await watch(engine.app);
  recordReadiness(await readStatus(engine.app));
  return { measured, restoreId };
}

test('every metric is named in the reference, and every one of a night is measured', async () => {
  const { measured, restoreId } = await aMeasuredNight();
  const values = await measured.values();
  expect(values.get('snapshot.records')).toBe(120);
  expect(values.get('snapshot.age')).toBeGreaterThanOrEqual(90);
  expect(values.get('verdict')).toBeGreaterThanOrEqual(0);
  expect(values.get('runs backup Succeeded')).toBe(1);
  expect(values.get('runs restore Failed')).toBe(1);
  expect(values.get('run.records backup saved')).toBe(120);
  expect(values.get('run.failures restore Rejected')).toBe(1);
  expect(values.get('run.rate restore')).toBeGreaterThan(0);
  // Each that a rule of infra/ speaks of: test/infra/alerts.test.ts holds those to the same list.
  const alerts = alertCodes.map((code) => [code, values.get(`alert ${code}`)]);
  expect(alerts.filter(([, value]) => value === 1)).toEqual([['RestoreFailed', 1]]);
  expect(alerts.filter(([, value]) => value === undefined)).toEqual([]);
  const spans = measured.spans().filter(({ attributes }) => attributes['runId'] === restoreId);
  expect(spans.map(({ name }) => name)).toEqual(expect.arrayContaining(['step scan', 'step seal', 'step reconcile']));
  const missing = Object.keys(metricTable).filter((name) => !measured.names().includes(name));
  expect(missing).toEqual([]);
});

test('a step that comes again is counted as a retry, and one that throws has a span of an error', async () => {
  const measured = measure();
  const step = parseStep({ formatVersion: 1, kind: 'backup', runId: 'r1', phase: 'scan', pass: 1, attempt: 2 });
  await expect(inSpan(step, () => Promise.reject(new Error('down')))).rejects.toThrow('down');
  expect((await measured.values()).get('step.retries backup scan')).toBe(1);
  expect(measured.spans().map(({ status }) => status.code)).toEqual([2]);
});

test('the reference lists every metric with its unit', () => {
  const reference = readFileSync(new URL('../../docs/REFERENCE.md', import.meta.url), 'utf8');
  const rows = Object.entries(metricTable).map(([name, { unit, meaning }]) => `| \`${name}\` | ${unit} | ${meaning} |`);
  const listed = /<!-- metrics -->\n[^\n]*\n[^\n]*\n(.*?)\n<!-- \/metrics -->/s.exec(reference)?.[1];
  expect(listed?.split('\n')).toEqual(rows);
});
