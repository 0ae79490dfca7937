import { expect, test, vi } from 'vitest';
import { readFailures } from '../../src/app/restore/failures.ts';
import { openHubRig } from './hub-rig.ts';

/** Each kind of trouble that one record can have for ever, and what becomes of it. */
const kinds = [
  { name: '500', status: 500, body: '<Error><Detail>This one breaks me.</Detail></Error>', code: 'NotServed' },
  { name: '409', status: 409, body: '<Error><Detail>There is a conflict.</Detail></Error>', code: 'NotServed' },
  { name: '404', status: 404, body: '<Error><Detail>There is no such thing.</Detail></Error>', code: 'Rejected' },
  { name: '501', status: 501, body: '<Error><Detail>I can not do this.</Detail></Error>', code: 'Rejected' },
  { name: '403', status: 403, body: '<Error><Detail>You must not do this.</Detail></Error>', code: 'Rejected' },
  { name: 'reset', reset: true, code: 'NotServed' },
  { name: 'silence', hang: true, code: 'NotServed' },
];

test('records that the hub fails at or refuses for ever are set aside by name with what it says; the others are restored', async () => {
  await using rig = await openHubRig({ devices: 90, hurry: 50, requestTimeoutMs: 1000 });
  const rows = [...rig.emulator.hub('primary', 'devices').registrations()];
  await rig.backUp();
  const installations = [...new Set(rows.flatMap(({ installationId }) => installationId ?? []))];
  const plain = rows.filter(({ installationId }) => installationId === null).map(({ id }) => id);
  const faults = kinds.flatMap(({ code: _, ...fault }, index) => [
    { ...fault, method: 'PUT', route: `/installations/${installations[index]}[?]` },
    { ...fault, method: 'PUT', route: `/registrations/${plain[3 * index]}[?]` },
  ]);
  const target = rig.emulator.namespace('secondary');
  target.setFaults(faults);
  const first = await rig.restore();
  expect(first).toMatchObject({ status: 'Failed', error: { code: 'RestoreIncomplete' }, counts: { pending: 0 } });
  const { value } = await readFailures(rig.engine.app, first.id);
  for (const [index, { body, status, code }] of kinds.entries()) {
    expect(value).toContainEqual({
      record: `installation ${installations[index]}`,
      platform: expect.any(String),
      code,
      status,
      words: body === undefined ? undefined : /<Detail>(.*)<\/Detail>/.exec(body)?.[1],
    });
  }
  expect(first.counts.failed).toBe(value.length);
  expect(first.counts.created).toBe(first.counts.total - value.length);
  for (const { rule, injectedCount } of target.faults())
    expect([rule.name, injectedCount < 60]).toEqual([rule.name, true]);

  target.setFaults([]);
  // Until it is known that no step of the first one writes any more.
  const again = await vi.waitFor(() => rig.restore(), { timeout: 240_000, interval: 1000 });
  expect(again).toMatchObject({ status: 'Succeeded', counts: { failed: 0, created: value.length } });
  expect(rig.contentOf('secondary')).toEqual([...new Set(rig.contentOf('primary'))]);
}, 480_000);
