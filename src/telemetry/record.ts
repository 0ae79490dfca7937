import { type Attributes, metrics, SpanStatusCode, trace } from '@opentelemetry/api';
import { alertCodes } from '../core/readiness/alerts.ts';
import type { Run } from '../core/run/run.ts';
import type { Step } from '../core/run/step.ts';
import { type MetricName, metricTable } from './metrics.ts';

const SCOPE = 'notification-hubs-dr';

/** What of the readiness card is measured. */
export interface Measured {
  readonly verdict: 'Ready' | 'AtRisk' | 'NotReady';
  readonly latestGoodSnapshot: { readonly ageSeconds: number; readonly counts: { readonly records: number } } | null;
  readonly predictedRestore: { readonly seconds: number } | null;
  readonly standbySync: { readonly lagSeconds: number | null } | null;
  readonly lastDrill: { readonly verdict: string } | null;
  readonly alerts: { readonly open: readonly { readonly code: string }[] };
}

const verdicts = ['Ready', 'AtRisk', 'NotReady'];

export function recordReadiness(card: Measured): void {
  gauge('notification_hubs_dr.verdict', verdicts.indexOf(card.verdict));
  gauge('notification_hubs_dr.snapshot.age', card.latestGoodSnapshot?.ageSeconds);
  gauge('notification_hubs_dr.snapshot.records', card.latestGoodSnapshot?.counts.records);
  gauge('notification_hubs_dr.restore.predicted', card.predictedRestore?.seconds);
  gauge('notification_hubs_dr.standby.lag', card.standbySync?.lagSeconds);
  if (card.lastDrill !== null) gauge('notification_hubs_dr.drill.passed', card.lastDrill.verdict === 'Passed' ? 1 : 0);
  // Also those that are not open: an alert that is over ends, and a rule on it is no rule on nothing.
  const open = new Set(card.alerts.open.map(({ code }) => code));
  for (const code of alertCodes) gauge('notification_hubs_dr.alert', open.has(code) ? 1 : 0, { code });
}

/** Of a run that has just ended. */
export function recordRun(run: Run): void {
  const kind = run.kind === 'restore' ? run.request.purpose : run.kind;
  add('notification_hubs_dr.runs', 1, { kind, status: run.status });
  const counts = countsOf(run);
  for (const [outcome, records] of Object.entries(counts)) {
    if (records > 0) add('notification_hubs_dr.run.records', records, { kind, outcome });
  }
  const records = Object.values(counts).reduce((sum, each) => sum + each, 0);
  const seconds = (Date.parse(run.finishedAt ?? run.createdAt) - Date.parse(run.createdAt)) / 1000;
  if (seconds > 0) distribute('notification_hubs_dr.run.rate', records / seconds, { kind });
  if (run.kind !== 'restore' || run.result === undefined) return;
  add('notification_hubs_dr.run.throttled', run.result.secondsLostToThrottling, { kind });
  for (const [code, failures] of Object.entries(run.result.failuresByCode)) {
    add('notification_hubs_dr.run.failures', failures, { kind, code });
  }
}

function countsOf(run: Run): Readonly<Record<string, number>> {
  if (run.kind === 'backup') return { saved: run.result?.recordCount ?? 0 };
  const { total: _, ...counts } = run.result?.counts ?? { total: 0 };
  return counts;
}

/** Does a step in a span of its own. */
export async function inSpan<T>(
  { kind, runId, phase, pass, shard, attempt }: Step,
  work: () => Promise<T>,
): Promise<T> {
  const attributes = { kind, phase };
  if (attempt > 0) add('notification_hubs_dr.step.retries', 1, attributes);
  const startedAt = performance.now();
  return trace
    .getTracer(SCOPE)
    .startActiveSpan(
      `step ${phase}`,
      { attributes: { ...attributes, runId, pass, shard: shard ?? 0, attempt } },
      async (span) => {
        try {
          return await work();
        } catch (error) {
          span.setStatus({ code: SpanStatusCode.ERROR });
          throw error;
        } finally {
          span.end();
          distribute('notification_hubs_dr.step.duration', (performance.now() - startedAt) / 1000, attributes);
        }
      },
    );
}

/** Asked for each time: what is asked for before an exporter is there measures nothing, for good. */
const meter = () => metrics.getMeter(SCOPE);
const unitOf = (name: MetricName) => ({ unit: metricTable[name].unit, description: metricTable[name].meaning });

function gauge(name: MetricName, value: number | null | undefined, attributes: Attributes = {}): void {
  if (value !== null && value !== undefined) meter().createGauge(name, unitOf(name)).record(value, attributes);
}

function add(name: MetricName, value: number, attributes: Attributes): void {
  meter().createCounter(name, unitOf(name)).add(value, attributes);
}

function distribute(name: MetricName, value: number, attributes: Attributes): void {
  meter().createHistogram(name, unitOf(name)).record(value, attributes);
}
