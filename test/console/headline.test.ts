import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { readStatus } from '../../src/app/readiness/status.ts';
import { startRetry } from '../../src/app/restore/retry.ts';
import { startVerification } from '../../src/app/snapshots/start-verification.ts';
import { beginRestore } from '../support/drive.ts';
import { aBackedUpStage, later, type Stage } from './stage.ts';

type Card = Awaited<ReturnType<typeof readStatus>>;

/** Plain JavaScript, which this project's tests are not compiled with. */
const part: {
  headlineOf: (card: Card) => { title: string; next: string; link?: { href: string } };
  otherFindings: (card: Card) => { code: string; message: string }[];
} = await import(new URL('../../src/console/views/headline.js', import.meta.url).href);
const { headlineOf, otherFindings } = part;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** The card as the page would read it now. */
async function cardOf({ engine: { app } }: Stage): Promise<Card> {
  vi.setSystemTime(app.world.now());
  return JSON.parse(JSON.stringify(await readStatus(app)));
}

test('a restore that failed is more urgent than a missing proof, until it is retried or a day has passed', async () => {
  const stage = await aBackedUpStage();
  const { engine } = stage;
  expect(headlineOf(await cardOf(stage))).toMatchObject({ title: 'At risk', next: 'verify' });
  engine.secondary.intercept = (_kind, id) =>
    id === 'device-2' ? { kind: 'rejected', status: 400, reason: 'Rejected' } : undefined;
  const id = await beginRestore(engine.app);
  const underWay = { title: 'Restore is running: reading', next: 'watch', link: { href: `#/restores/${id}` } };
  expect(headlineOf(await cardOf(stage))).toMatchObject(underWay);
  await later(stage, 30);
  const failed = await cardOf(stage);
  expect(failed.findings.map(({ code }) => code)).toContain('NotProven');
  const urgent = { title: 'Restore is incomplete', next: 'see', link: { href: `#/restores/${id}` } };
  expect(headlineOf(failed)).toMatchObject(urgent);
  const codes = otherFindings(failed).map(({ code }) => code);
  expect(codes).toContain('NotProven');
  expect(codes).not.toContain('RestoreFailed');

  const { lastRestore } = failed;
  if (lastRestore === null) throw new Error('The card shows no restore.');
  expect(headlineOf({ ...failed, lastRestore: { ...lastRestore, dryRun: true } }).next).not.toBe('see');

  const fork = engine.fork();
  fork.advance(25 * 3_600_000);
  expect(headlineOf(await cardOf({ ...stage, engine: fork })).next).not.toBe('see');

  engine.secondary.intercept = () => undefined;
  await startRetry(engine.app, id);
  await later(stage, 30);
  expect(headlineOf(await cardOf(stage))).toMatchObject({ title: 'At risk', next: 'role' });
});

test('without alerts that is a finding, and what to do about it comes next when all else is well', async () => {
  const stage = await aBackedUpStage();
  await startVerification(stage.engine.app, 'latest', 'http');
  await later(stage, 30);
  const card = await cardOf(stage);
  expect(headlineOf(card)).toMatchObject({ title: 'Ready', next: 'none' });
  expect(otherFindings(card)).toEqual([]);
  for (const [webhook, heartbeatUrl, missing] of [
    [false, false, 'ALERT_WEBHOOK_URL and HEARTBEAT_URL'],
    [false, true, 'ALERT_WEBHOOK_URL'],
    [true, false, 'HEARTBEAT_URL'],
  ] as const) {
    const silent = { ...card, alerts: { ...card.alerts, webhook, heartbeatUrl } };
    expect(headlineOf(silent)).toMatchObject({ title: 'Ready', next: 'check' });
    expect(otherFindings(silent)).toMatchObject([{ code: 'NoAlerts', message: expect.stringContaining(missing) }]);
  }
});
