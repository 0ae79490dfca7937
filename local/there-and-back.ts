import { z } from 'zod';
import { type Api, createApi, type RunView } from './api.ts';
import { byIdentity, type HubRow, judgeDelivery, only, readRows, type Verdict } from './delivery.ts';
import { backUp, describeBackup, describeRestore, type RehearsalOptions } from './rehearsal.ts';
import { PRIMARY_HUB, SECONDARY_HUB, type Stack } from './stack.ts';

type Counts = Readonly<Record<string, number>>;

/** The result of failovers and failbacks on one pair of hubs. */
export interface ThereAndBackReport {
  /** What a failover and a failback between equal hubs wrote, all outcomes but `unchanged` together. */
  readonly writtenBetweenEqualHubs: number;
  /** The pushes after each failback, by what the former hub came back with. */
  readonly devices: Readonly<Record<'empty' | 'full' | 'changed', Verdict>>;
  /** While devices used both hubs: what a failback left as it was until the operator decided, and what it took away. */
  readonly conflicts: number;
  readonly withdrawn: number;
  /** What the failover after it brought to the secondary when it was asked to overwrite. */
  readonly overwritten: number;
  readonly verdict: 'pass' | 'fail';
}

/** What became of the primary while the secondary was in use. */
type Return = keyof ThereAndBackReport['devices'];

/** Each takes two steps, after the first three. */
const returns = ['empty', 'full', 'changed'] as const satisfies readonly Return[];

const roleSchema = z.object({ standby: z.object({ namespace: z.string(), hub: z.string() }) });

/**
 * There and back, several times on one pair of hubs of which the second gives out registration ids of its own: first
 * without any write from outside, then with days of life in the secondary while the primary is away. It returns empty,
 * full, and with changes of its last minutes. At last devices use both hubs.
 */
export async function rehearseThereAndBack(stack: Stack, options: RehearsalOptions): Promise<ThereAndBackReport> {
  const { say } = options;
  const api = createApi(() => stack.host);
  await stack.emulator.admin('POST', `${SECONDARY_HUB}/switches`, { acceptForeignIds: false });
  say(`1  backup   ${describeBackup(await backUp(stack, api))}`);
  say(`2  failover ${describeRestore(await switchHubs(api))}`);
  await backUp(stack, api);
  const back = await switchHubs(api);
  await backUp(stack, api);
  const forth = await switchHubs(api);
  const writtenBetweenEqualHubs = [back, forth].reduce((sum, { counts = {} }) => sum + writtenIn(counts), 0);
  say(`3  failback and failover without a write from outside: ${describeRestore(back)}; ${describeRestore(forth)}`);

  const devices = {
    // First, as the primary was seeded with some registrations twice.
    empty: await liveAndReturn(stack, api, options, 'empty'),
    full: await liveAndReturn(stack, api, options, 'full'),
    changed: await liveAndReturn(stack, api, options, 'changed'),
  };
  const both = await liveInBoth(stack, api, options);
  const isPass =
    writtenBetweenEqualHubs === 0 &&
    Object.values(devices).every(({ expected, once, unexpected }) => once === expected && unexpected === 0) &&
    both.conflicts > 0 &&
    both.withdrawn === 0 &&
    both.overwritten >= both.conflicts;
  return { writtenBetweenEqualHubs, devices, ...both, verdict: isPass ? 'pass' : 'fail' };
}

/** The secondary is in use when it begins, and after it. */
async function liveAndReturn(
  stack: Stack,
  api: Api,
  { devices, seed, say }: RehearsalOptions,
  as: Return,
): Promise<Verdict> {
  const { emulator } = stack;
  const each = Math.max(1, Math.floor(devices / 100));
  const seedOf = seed + as.length;
  const step = 4 + 2 * returns.indexOf(as);
  const before = await readRows(emulator, PRIMARY_HUB);
  if (as === 'changed') await emulator.admin('POST', `${PRIMARY_HUB}/churn`, { change: 3, add: 3, seed: seedOf + 100 });
  if (as === 'empty') await emulator.admin('POST', `${PRIMARY_HUB}/churn`, { remove: 10 * devices, seed: seedOf });
  const returning = await readRows(emulator, PRIMARY_HUB);
  const atFailover = await readRows(emulator, SECONDARY_HUB);
  await emulator.admin('POST', '/namespaces/primary/down');
  const life = { change: each, refresh: each, renew: each, remove: each, handOver: each, add: each, seed: seedOf };
  await emulator.admin('POST', `${SECONDARY_HUB}/churn`, life);
  await emulator.admin('POST', '/namespaces/primary/up');
  await backUp(stack, api);
  const after = await readRows(emulator, SECONDARY_HUB);
  const back = await switchHubs(api);
  const verdict = await broadcast(stack, newest({ before, returning, atFailover, after }));
  say(
    `${step}  the primary returns ${as}; failback ${describeRestore(back)}; ${verdict.once} of ${verdict.expected} devices got a message exactly once, by their newest tags; ${verdict.never} never, ${verdict.moreThanOnce} more than once or by old tags, ${verdict.unexpected} that had left got it`,
  );
  await backUp(stack, api);
  say(`${step + 1}  failover ${describeRestore(await switchHubs(api))}`);
  return verdict;
}

/** The rows of the secondary; of devices that spoke in the primary's last minutes only, those of the primary. */
function newest(rows: Readonly<Record<'before' | 'returning' | 'atFailover' | 'after', readonly HubRow[]>>): HubRow[] {
  const [atFailover, after] = [byIdentity(rows.atFailover), byIdentity(rows.after)];
  const lived = handlesOf([...only(atFailover, after), ...only(after, atFailover)]);
  const late = handlesOf(only(byIdentity(rows.returning), byIdentity(rows.before)));
  const spokeLast = ({ handle }: HubRow): boolean => late.has(handle) && !lived.has(handle);
  return [...rows.after.filter((row) => !spokeLast(row)), ...rows.returning.filter(spokeLast)];
}

function handlesOf(rows: readonly HubRow[]): ReadonlySet<string> {
  return new Set(rows.map(({ handle }) => handle));
}

async function broadcast({ emulator }: Stack, wanted: readonly HubRow[]): Promise<Verdict> {
  await emulator.admin('POST', `${PRIMARY_HUB}/settle`);
  await emulator.admin('POST', `${PRIMARY_HUB}/clear-inboxes`);
  await emulator.admin('POST', `${PRIMARY_HUB}/broadcast`, { message: 'drill' });
  return judgeDelivery(emulator, PRIMARY_HUB, wanted, []);
}

/** More devices than a failback takes for stragglers changed in both hubs: those stay until the operator decides. */
async function liveInBoth(stack: Stack, api: Api, { devices, seed, say }: RehearsalOptions) {
  const many = 21 + Math.ceil(devices / 10);
  await stack.emulator.admin('POST', `${PRIMARY_HUB}/churn`, { change: many, seed: seed + 200 });
  await stack.emulator.admin('POST', `${SECONDARY_HUB}/churn`, { remove: 5, add: 5, seed: seed + 200 });
  await stack.emulator.admin('POST', `${SECONDARY_HUB}/churn`, { change: devices, seed: seed + 201 });
  await backUp(stack, api);
  const kept = await switchHubs(api);
  await backUp(stack, api);
  const asked = await switchHubs(api, { onConflict: 'overwrite' });
  say(
    `${4 + 2 * returns.length}  devices use both hubs; failback ${describeRestore(kept)}; asked to overwrite, failover ${describeRestore(asked)}`,
  );
  const { conflict = 0, withdrawn = 0 }: Counts = kept.counts ?? {};
  return { conflicts: conflict, withdrawn, overwritten: asked.counts?.updated ?? 0 };
}

/** Restores into the standby, and makes it the hub in use. */
async function switchHubs(api: Api, more: object = {}): Promise<RunView> {
  const { standby } = roleSchema.parse((await api.call('GET', '/api/role')).body);
  const body = { activate: true, confirm: `${standby.namespace}/${standby.hub}`, ...more };
  const { id } = await api.start('/api/restores', body);
  return api.finished('restore', id, { timeoutMs: 3_600_000 });
}

const outcomesThatWrite = ['created', 'updated', 'renewed', 'moved', 'withdrawn', 'failed', 'pending'];

function writtenIn(counts: Counts): number {
  return outcomesThatWrite.reduce((sum, name) => sum + (counts[name] ?? 0), 0);
}
