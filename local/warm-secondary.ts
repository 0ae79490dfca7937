import { z } from 'zod';
import { type Api, createApi, type RunView } from './api.ts';
import { byIdentity, type HubRow, judgeDelivery, readRows, type Verdict } from './delivery.ts';
import { backUp, describeBackup, describeRestore, type RehearsalOptions } from './rehearsal.ts';
import { PRIMARY_HUB, SECONDARY_HUB, type Stack } from './stack.ts';
import { pushToTags, type TagVerdict, tagsOfChanges } from './tag-delivery.ts';

/** The result of a failover into a hub that a rehearsal had filled. */
export interface WarmReport {
  readonly counts: Readonly<Record<string, number>>;
  readonly devices: Verdict;
  readonly tags: TagVerdict;
  /** Registrations that end more than a day sooner than in the primary. */
  readonly endsTooSoon: number;
  readonly verdict: 'pass' | 'fail';
}

const churnSchema = z.object({ removed: z.number(), handedOver: z.number(), renewed: z.number() });

/**
 * A secondary that holds an older state of the primary: a rehearsal is restored into it, devices change and opt out in
 * the primary, its region fails, and it is restored again by a call with an empty body. Pushes then show that what
 * counts is the newest state.
 */
export async function rehearseWarmSecondary(stack: Stack, options: RehearsalOptions): Promise<WarmReport> {
  const { devices, seed, say } = options;
  const { emulator } = stack;
  const api = createApi(() => stack.host);
  const first = await backUp(stack, api);
  const rehearsal = await restore(api, { note: 'rehearsal' });
  say(`1  backup   ${describeBackup(first)}; rehearsal ${describeRestore(rehearsal)}`);
  const before = await readRows(emulator, PRIMARY_HUB);

  await churnPrimary(stack, Math.max(1, Math.floor(devices / 50)), seed, say);
  // While the source is silent, its two newest snapshots must agree on who left.
  await backUp(stack, api);
  const last = await backUp(stack, api);
  say(`3  two backups   ${describeBackup(last)}`);
  const after = await readRows(emulator, PRIMARY_HUB);

  await emulator.admin('POST', '/namespaces/primary/down');
  say('4  the primary region fails: connections are refused');
  const failover = await restore(api, {});
  say(`5  failover with an empty body ${describeRestore(failover)}`);
  return judge(stack, failover, { before, after }, say);
}

/** Devices change tags, get other handles, renew, opt out, and leave their phone to another user. */
async function churnPrimary({ emulator }: Stack, each: number, seed: number, say: RehearsalOptions['say']) {
  const answer = await emulator.admin('POST', `${PRIMARY_HUB}/churn`, {
    ...{ change: each, refresh: each, renew: each, remove: each, handOver: each, add: each },
    seed: seed + 1,
  });
  const { removed, handedOver, renewed } = churnSchema.parse(answer);
  say(
    `2  in the primary ${each} devices change tags, ${each} get another handle, ${renewed} renew, ${removed} opt out, ${handedOver} phones change their user, ${each} devices are new`,
  );
}

async function restore(api: Api, body: object): Promise<RunView> {
  const { id } = await api.start('/api/restores', body);
  return api.finished('restore', id, { timeoutMs: 3_600_000 });
}

async function judge(
  { emulator }: Stack,
  failover: RunView,
  rows: { readonly before: readonly HubRow[]; readonly after: readonly HubRow[] },
  say: RehearsalOptions['say'],
): Promise<WarmReport> {
  await emulator.admin('POST', `${SECONDARY_HUB}/settle`);
  await emulator.admin('POST', `${SECONDARY_HUB}/clear-inboxes`);
  await emulator.admin('POST', `${SECONDARY_HUB}/broadcast`, { message: 'drill' });
  const devices = await judgeDelivery(emulator, SECONDARY_HUB, rows.after, []);
  say(
    `6  broadcast: ${devices.once} of ${devices.expected} devices got it exactly once, by their newest tags; ${devices.never} never, ${devices.moreThanOnce} more than once or by old tags, ${devices.unexpected} that had left got it`,
  );
  const tags = await pushToTags(emulator, SECONDARY_HUB, rows.after, tagsOfChanges(rows.before, rows.after));
  say(
    `7  pushes to the ${tags.tags} tags of what changed: ${tags.once} of ${tags.expected} reached a device of the tag exactly once; ${tags.never} never, ${tags.moreThanOnce} more than once, ${tags.toOthers} reached another device`,
  );
  const endsTooSoon = countEndingTooSoon(rows.after, await readRows(emulator, SECONDARY_HUB));
  say(`8  ${endsTooSoon} registrations end sooner than in the primary`);
  const isPass =
    failover.status === 'Succeeded' &&
    devices.once === devices.expected &&
    devices.unexpected === 0 &&
    tags.once === tags.expected &&
    tags.toOthers === 0 &&
    endsTooSoon === 0;
  return { counts: failover.counts ?? {}, devices, tags, endsTooSoon, verdict: isPass ? 'pass' : 'fail' };
}

const DAY_MS = 86_400_000;

function countEndingTooSoon(wanted: readonly HubRow[], restored: readonly HubRow[]): number {
  const found = byIdentity(restored);
  const endsTooSoon = ([identity, row]: [string, HubRow]): boolean => {
    const twin = found.get(identity);
    return twin !== undefined && endOf(twin) < endOf(row) - DAY_MS;
  };
  return [...byIdentity(wanted)].filter(endsTooSoon).length;
}

function endOf({ expiresAt }: HubRow): number {
  return expiresAt === null ? Number.POSITIVE_INFINITY : Date.parse(expiresAt);
}
