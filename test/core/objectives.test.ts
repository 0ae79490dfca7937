import { expect, test } from 'vitest';
import { readStatus } from '../../src/app/readiness/status.ts';
import { alertCodes } from '../../src/core/readiness/alerts.ts';
import { aBackedUp, restore } from '../support/drive.ts';
import { createEngine } from '../support/engine.ts';

async function statusWith(policy: { rpoMinutes?: number; rtoMinutes?: number }, ageMinutes = 0) {
  const engine = await aBackedUp(100, { policy });
  await restore(engine);
  engine.advance(ageMinutes * 60_000);
  const { objectives, findings, predictedRestore } = await readStatus(engine.app);
  return { objectives, codes: findings.map(({ code }) => code), predictedRestore };
}

test('without objectives there are none, and no finding', async () => {
  const { objectives, codes } = await statusWith({}, 60);
  expect(objectives).toEqual({ rpo: null, rto: null });
  expect(codes).not.toContain('RpoMissed');
});

test('an objective is met as long as what is measured is no more than it', async () => {
  const met = await statusWith({ rpoMinutes: 60, rtoMinutes: 60 }, 30);
  const { seconds } = met.predictedRestore ?? {};
  expect(met.objectives.rpo).toMatchObject({ minutes: 60, met: true });
  expect(met.objectives.rto).toEqual({ minutes: 60, measuredSeconds: seconds, met: true });
  const missed = await statusWith({ rpoMinutes: 60 }, 61);
  expect(missed.objectives.rpo).toMatchObject({ minutes: 60, met: false });
  expect(missed.codes).toContain('RpoMissed');
});

test('nothing is judged where nothing was measured', async () => {
  const engine = createEngine({ policy: { rpoMinutes: 1, rtoMinutes: 1 } });
  const { objectives, findings } = await readStatus(engine.app);
  expect(objectives.rpo).toEqual({ minutes: 1, measuredSeconds: null, met: null });
  expect(objectives.rto).toEqual({ minutes: 1, measuredSeconds: null, met: null });
  expect(findings.map(({ code }) => code)).not.toContain('RtoMissed');
});

test('a missed objective is an alert', () => {
  expect(alertCodes).toContain('RpoMissed');
  expect(alertCodes).toContain('RtoMissed');
});
