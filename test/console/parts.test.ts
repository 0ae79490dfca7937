import { expect, test } from 'vitest';

interface Hub {
  readonly namespace: string;
  readonly hub: string;
}
interface Snapshot {
  readonly id: string;
  readonly hub: Hub;
  readonly readStartedAt?: string;
}

/** Plain JavaScript, which this project's tests are not compiled with. */
const load = (path: string) => import(new URL(`../../src/console/${path}`, import.meta.url).href);
const { rolesOf }: { rolesOf: (status: object) => { wayName: string } } = await load('parts/roles.js');
const parts: { distinguish: (all: readonly Snapshot[]) => (one: Snapshot) => { isExact: boolean; hub?: string } } =
  await load('parts/distinct-rows.js');

const one = { namespace: 'one', hub: 'devices' };
const two = { namespace: 'two', hub: 'devices' };

test.each([
  ['never switched', [one], 'Fail over'],
  ['failed over', [two, one], 'Fail back'],
  ['failed back', [one, two, one], 'Fail over'],
  ['failed over once more', [two, one, two, one], 'Fail back'],
])('a switch has the name of the command that does it: %s', (_, hubs, name) => {
  const [active] = hubs;
  const standby = active === one ? two : one;
  const history = hubs.map((hub) => ({ hub, since: '2026-11-23T09:00:00Z', by: 'restore' }));
  expect(rolesOf({ primary: one, secondary: two, role: { active, standby, history } }).wayName).toBe(name);
});

test('snapshots of one minute differ by the second, those of two hubs by the hub', () => {
  const a = { id: 'a', hub: one, readStartedAt: '2026-11-23T09:00:01.500Z' };
  const b = { id: 'b', hub: one, readStartedAt: '2026-11-23T09:00:41.500Z' };
  const c = { id: 'c', hub: two, readStartedAt: '2026-11-23T10:00:00.000Z' };
  const ofOne = parts.distinguish([a, b]);
  expect([ofOne(a), ofOne(b)]).toEqual([
    { isExact: true, hub: undefined },
    { isExact: true, hub: undefined },
  ]);
  const ofBoth = parts.distinguish([a, c]);
  expect([ofBoth(a), ofBoth(c)]).toEqual([
    { isExact: false, hub: 'one/devices' },
    { isExact: false, hub: 'two/devices' },
  ]);
});
