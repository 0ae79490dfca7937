import { expect, test } from 'vitest';
import { proofOf, type ReportFacts, renderReport } from '../../src/core/restore/report.ts';
import { noCounts } from '../../src/core/restore/totals.ts';

const facts: ReportFacts = {
  id: 'failover-1',
  purpose: 'restore',
  status: 'Failed',
  isOver: true,
  requestedBy: 'http',
  askedBy: 'ada@console-1',
  note: 'Ada | <b>INC-42</b> `x`',
  dryRun: false,
  only: { tags: 'news || vip' },
  order: [{ platforms: ['Apple'] }],
  snapshot: {
    id: 's1',
    namespace: 'one',
    hub: 'devices',
    digest: 'ab'.repeat(32),
    health: 'good',
    readStartedAt: '2026-11-23T08:00:00.000Z',
    readFinishedAt: '2026-11-23T08:01:00.000Z',
    records: 120,
    amount: '118 devices = 120 records = 140 registrations',
  },
  target: { role: 'secondary', namespace: 'three', hub: 'devices' },
  createdAt: '2026-11-23T09:00:00.000Z',
  finishedAt: '2026-11-23T09:02:30.000Z',
  seconds: 150,
  timeline: [
    { phase: 'scan', pass: 1, startedAt: '2026-11-23T09:00:00.000Z', seconds: 1.5 },
    { phase: 'reconcile', pass: 1, wave: 1, startedAt: '2026-11-23T09:00:01.500Z', seconds: 118.5 },
    { phase: 'reconcile', pass: 2, startedAt: '2026-11-23T09:02:00.000Z', seconds: 30 },
  ],
  result: {
    counts: { ...noCounts, total: 100, created: 97, failed: 3 },
    byPlatform: { Apple: { ...noCounts, created: 60, failed: 3 }, FcmV1: { ...noCounts, created: 37 } },
    milestones: { p50At: '2026-11-23T09:01:00.000Z', p90At: '2026-11-23T09:01:50.000Z' },
    duplicatesCollapsed: 0,
    repaired: 2,
    takenBack: 0,
    changedSince: 1,
    removedByService: 0,
    raced: 0,
    attempted: 0,
    absenceVoid: 0,
    superseded: 0,
    partialInstallations: 0,
    secondsLostToThrottling: 12.5,
    failuresByCode: { Rejected: 2, TooLarge: 1 },
    passes: 2,
  },
  recordsPerSecond: 0.8,
  warnings: ['The snapshot is old.'],
  error: { code: 'RestoreIncomplete', message: '3 of 100 records could not be restored.' },
  failures: [{ code: 'Rejected', status: 400, platform: 'Apple', words: 'A tag is *too* long.', count: 2 }],
  coverage: [],
  isInUse: false,
  nextActions: [
    { name: 'retry', method: 'POST', href: '/api/restores/failover-1/retry', command: 'retry failover-1 --watch' },
    { name: 'report', method: 'GET', href: '/api/restores/failover-1/report', command: 'report failover-1' },
    { name: 'restoreAgain', method: 'POST', href: '/api/restores', command: "restore --only-tags 'a`b' --watch" },
  ],
  reportedAt: '2026-11-23T09:05:00.000Z',
};

test('a report is one page with all that an incident record needs', () => {
  expect(renderReport(facts)).toBe(`# Restore failover-1 from one/devices into three/devices: Incomplete

|  |  |
| --- | --- |
| asked for by | ada@console-1, 2026-11-23T09:00:00.000Z |
| note | Ada \\| \\<b\\>INC-42\\</b\\> \\\`x\\\` |
| only | tags news \\|\\| vip |
| order | platforms Apple |
| snapshot | s1 of hub one/devices |
| taken | 2026-11-23T08:00:00.000Z to 2026-11-23T08:01:00.000Z |
| it holds | 118 devices = 120 records = 140 registrations |
| digest | SHA-256 ${'ab'.repeat(32)} |
| target | secondary, hub three/devices |
| took | 3 min, until 2026-11-23T09:02:30.000Z |
| rate | 0.8 records a second; 12.5 s lost to throttling |
| 50 / 90 / 99 % in place | 2026-11-23T09:01:00.000Z / 2026-11-23T09:01:50.000Z / – |
| error | RestoreIncomplete: 3 of 100 records could not be restored. |

## Counts

| platform | total | created | updated | unchanged | kept live | removed | failed | pending |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
| Apple | 63 | 60 | 0 | 0 | 0 | 0 | 3 | 0 |
| FcmV1 | 37 | 37 | 0 | 0 | 0 | 0 | 0 | 0 |
| all | 100 | 97 | 0 | 0 | 0 | 0 | 3 | 0 |

Failed by reason: Rejected 2, TooLarge 1.

## What failed

| records | platform | reason | the hub says |
| --- | --- | --- | --- |
| 2 | Apple | Rejected (HTTP 400) | A tag is \\*too\\* long. |

Not looked up, as there are many: 1 record.

## Timeline

| began | pass | what | took |
| --- | --- | --- | --- |
| 2026-11-23T09:00:00.000Z | 1 | list the target | 1.5 s |
| 2026-11-23T09:00:01.500Z | 1 | write, group 2 | 118.5 s |
| 2026-11-23T09:02:00.000Z | 2 | verify and repair | 30 s |

## Proof

Pass 2 listed the target again after the last write, and found all that it had written: 97 records. Written again on the way: 2 records. Changed by their devices meanwhile, and left to them: 1 record. Not where they should be: 3 records.

## Warnings

- The snapshot is old.

## Next

- Restore what failed: \`notification-hubs-dr retry failover-1 --watch\`
- Restore again: \`\` notification-hubs-dr restore --only-tags 'a\`b' --watch \`\`
`);
});

const counts = facts.result.counts;

test.each<[string, Partial<ReportFacts>, Partial<ReportFacts['result']>]>([
  ['None yet: the run is not over.', { isOver: false, status: 'Running' }, {}],
  ['None: a dry run counts what it would write, and writes nothing.', { dryRun: true }, {}],
  ['None: the run ended before it came to 40 records.', {}, { counts: { ...counts, created: 57, pending: 40 } }],
  ['None: the run ended before it could look again.', {}, { counts: { ...counts, created: 100, failed: 0 } }],
  [
    'The first pass compared every record with the target, and nothing was written.',
    { status: 'Succeeded' },
    { counts: { ...noCounts, total: 100, unchanged: 100 }, passes: 1 },
  ],
  [
    'Pass 2 listed the target again after the last write, and found nothing of what it had removed: 97 records.',
    { status: 'Succeeded', purpose: 'rollback' },
    { counts: { ...noCounts, total: 100, removed: 97, keptLive: 3 }, repaired: 0, changedSince: 0 },
  ],
])('the proof says no more than was seen: %s', (proof, change, result) => {
  expect(proofOf({ ...facts, ...change, result: { ...facts.result, ...result } })).toBe(proof);
});

test('its headline says which hub came into use, where some records were left out', () => {
  const activatedAt = '2026-11-23T09:02:29.000Z';
  const page = renderReport({ ...facts, result: { ...facts.result, activatedAt } });
  expect(page.split('\n')[0]).toBe(
    '# Restore failover-1 from one/devices into three/devices: Incomplete for 3 records; three/devices came into use',
  );
  expect(page).not.toContain('Point all backends');
});

test('while the hub that came into use is so, the report says first what people have to do, and offers no rollback', () => {
  const activatedAt = '2026-11-23T09:02:29.000Z';
  const rollback = { name: 'rollback', method: 'POST', href: '', command: 'rollback failover-1 --watch' } as const;
  const nextActions = [
    { name: 'backup', method: 'POST', href: '/api/backups', command: 'backup --watch' },
    rollback,
  ] as const;
  const pageOf = (isInUse: boolean) =>
    renderReport({
      ...{ ...facts, isInUse, result: { ...facts.result, activatedAt } },
      nextActions: isInUse ? [nextActions[0], { ...rollback, writesToHubInUse: true }] : nextActions,
    });
  expect(pageOf(true).split('## Next\n\n')[1]).toBe(
    '- Point all backends that register or send at three/devices: connection string and hub name. Send to a phone of your own, then resume sends.\n' +
      '- Back up the hub now in use: `notification-hubs-dr backup --watch`\n',
  );
  expect(pageOf(false)).toContain('rollback failover-1');
});

test('a command that needs the name of a hub says that it asks for it, and where nothing is next there is no such part', () => {
  const [retry] = facts.nextActions;
  const pageOf = (nextActions: ReportFacts['nextActions']) => renderReport({ ...facts, nextActions });
  expect(pageOf(retry === undefined ? [] : [{ ...retry, needsConfirm: true }]).split('## Next\n\n')[1]).toBe(
    '- Restore what failed: `notification-hubs-dr retry failover-1 --watch` (asks for the full name of the hub; in a script, add `--confirm NAMESPACE/HUB`)\n',
  );
  expect(pageOf([])).not.toContain('## Next');
});

test('what asks nothing is a note, a rollback leads to another snapshot, and what a table says in a word is explained', () => {
  const page = renderReport({
    ...facts,
    purpose: 'rollback',
    warnings: ['Missing: 3 records. Nothing to decide.'],
    failures: [{ code: 'Rejected', status: 400, platform: 'Windows', count: 3 }],
    coverage: [{ snapshotId: 's2', of: 'r1', total: 528, registered: 5, restored: 500, missing: 23, percent: 0 }],
    nextActions: [{ name: 'chooseAnother', method: 'GET', href: '/api/snapshots', command: 'snapshots' }],
    result: {
      ...facts.result,
      absenceVoid: 492,
      counts: { ...facts.result.counts, keptLive: 2, onlyInTarget: 1 },
      byPlatform: { Other: { ...noCounts, withdrawn: 6 } },
    },
  });
  expect(page).toContain('## Notes\n\n- Missing: 3 records. Nothing to decide.\n');
  expect(page).not.toContain('## Warnings');
  expect(page).toContain(
    '- Restore another snapshot: choose one: `notification-hubs-dr snapshots` and restore it: `notification-hubs-dr restore --snapshot ID --target secondary --watch`\n',
  );
  expect(page).toContain('| s2 | 5 (under 1 %) |');
  expect(page).toContain('| 3 | Windows | Rejected (HTTP 400) | nothing more: ');
  expect(page).toContain('created again, as it is not known that their devices deleted them: 492.');
  expect(page).toContain('Kept live: changed by their devices since, and left as they are.');
  expect(page).toContain('Only in the target: registered there by their devices');
  expect(page).toContain('Other: what the snapshot does not hold');
});
