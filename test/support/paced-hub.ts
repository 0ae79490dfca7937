import { RecordFault } from '../../src/core/errors.ts';
import type { CallOptions, Clock, Hub, WriteOutcome } from '../../src/core/ports.ts';
import { Limiter } from '../../src/hub/pace/limiter.ts';
import { type Attempt, retry, type SentFailure } from '../../src/hub/transport/retry.ts';
import { Overdue, type UnderWay } from '../../src/hub/transport/served.ts';

export interface PacedHub extends Hub {
  /** Requests that the service took, and those it refused. */
  readonly requests: () => { readonly taken: number; readonly refused: number };
}

export interface PacedOptions {
  readonly clock: Clock;
  /** Requests that the service takes in a second. */
  readonly perSecond: number;
  /** What it takes at once after a lull; as the emulator has it when absent. */
  readonly burst?: number;
  readonly maxConcurrency?: number;
  readonly latencyMs?: number;
  /** The service refuses all connections. */
  readonly isAway?: () => boolean;
  /** What becomes of each write of a record with that body. */
  readonly poisonOf?: (body: string) => Poison | undefined;
}

/** How a service fails at one record, or refuses it, for ever. */
export const poisons = ['500', '504', '409', 'reset', 'silence', '404', '501', '403', '400', '413'] as const;
export type Poison = (typeof poisons)[number];

const FAILING: ReadonlySet<Poison> = new Set(['500', '504', '409', 'reset', 'silence']);
/** After so long the client gives an answer up. */
const SILENCE_MS = 30_000;
const LOOK_EVERY_MS = 1000;
const OVERDUE_AFTER_MS = 5000;
/** So often the client is failed, while others are served, before it says that it is the record's own. */
const OWN_FAILURES = 3;

const BURST = 10;

/** A hub behind a service that throttles, as the real client calls it: through the limiter and with its retries. */
export function pacedHub(hub: Hub, options: PacedOptions): PacedHub {
  const {
    clock,
    perSecond,
    burst = BURST,
    maxConcurrency = 64,
    latencyMs = 20,
    isAway = () => false,
    poisonOf,
  } = options;
  const limiter = new Limiter({ maxConcurrency, clock });
  let taken = 0;
  let refused = 0;
  let tokens = burst;
  let filledAt = clock.now();
  const mayPass = (): boolean => {
    const now = clock.now();
    tokens = Math.min(burst, tokens + ((now - filledAt) * perSecond) / 1000);
    filledAt = now;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
  const ownFault = ({ seen, status, hasNoEffect, isLast, isGivenUp }: SentFailure, failures: number) =>
    isLast || isGivenUp || failures >= OWN_FAILURES
      ? new RecordFault('HubUnavailable', 'It fails.', {
          retryable: true,
          hasNoEffect,
          seen,
          status,
          isSilent: isGivenUp === true,
        })
      : undefined;
  const overdue = new Overdue(OVERDUE_AFTER_MS);
  let isLooking = false;
  /** As the client does. */
  const watch = (one: UnderWay): void => {
    overdue.begin(one);
    if (isLooking) return;
    isLooking = true;
    void (async () => {
      while (!overdue.isEmpty) {
        await clock.sleep(LOOK_EVERY_MS);
        await overdue.look(clock.now(), () => lookWhetherItServes().then(() => true));
      }
      isLooking = false;
    })();
  };
  const call = async <T>(
    { deadlineAt }: CallOptions,
    effect: () => Promise<T>,
    about?: Poison | 'record' | 'look',
  ): Promise<T> => {
    const poison = about === 'look' || about === 'record' ? undefined : about;
    const isAboutRecord = about !== undefined && about !== 'look';
    let failures = 0;
    const attempt = async (): Promise<Attempt<T>> => {
      const permit = await limiter.acquire(deadlineAt, about === 'look' ? 'look' : 'work');
      if (permit === undefined) return { kind: 'again', waitMs: Number.POSITIVE_INFINITY, hasNoEffect: true };
      const sentAt = clock.now();
      await clock.sleep(latencyMs);
      if (isAway()) {
        permit.release('failed');
        return { kind: 'again', seen: 'ECONNREFUSED', sentAt };
      }
      if (!mayPass()) {
        refused += 1;
        // As the emulator says it, in whole seconds.
        permit.release('throttled', Math.ceil((1 - tokens) / perSecond) * 1000);
        return { kind: 'again', seen: 'status 429', waitMs: 0, isThrottled: true, hasNoEffect: true };
      }
      taken += 1;
      const { promise: end, resolve: giveUp } = Promise.withResolvers<'given up'>();
      const watched = { sentAt, giveUp: () => giveUp('given up') };
      if (isAboutRecord) watch(watched);
      if (poison !== undefined) {
        const isGivenUp = poison === 'silence' && (await Promise.race([end, clock.sleep(SILENCE_MS)])) === 'given up';
        overdue.end(watched, clock.now(), false);
        permit.release('failed');
        return {
          isGivenUp,
          kind: 'again',
          seen: `status ${poison}`,
          sentAt,
          status: 500,
          ...(poison === '409' ? { hasNoEffect: true as const } : {}),
        };
      }
      permit.release('accepted');
      overdue.end(watched, clock.now(), isAboutRecord);
      return { kind: 'done', value: await effect() };
    };
    const where = `hub ${hub.ref.namespace}/${hub.ref.hub}`;
    const own = async (failure: SentFailure) => {
      failures += 1;
      const fault = poison === undefined ? undefined : ownFault(failure, failures);
      if (fault !== undefined) await lookWhetherItServes();
      return fault;
    };
    return retry(await attempt(), attempt, { where, deadlineAt, clock, random: () => 0.5, ownFault: own });
  };
  let looked = { at: Number.NEGATIVE_INFINITY, came: Promise.resolve() };
  /** As the client does before it says so; what it saw is known for a second. */
  const lookWhetherItServes = (): Promise<void> => {
    if (clock.now() - looked.at >= 1000) {
      const look = async (): Promise<void> =>
        void (await call({ deadlineAt: clock.now() + 2000 }, async () => 'served', 'look'));
      looked = { at: clock.now(), came: look() };
    }
    return looked.came;
  };
  const write = (body: string, options: CallOptions, effect: () => Promise<WriteOutcome>): Promise<WriteOutcome> => {
    const poison = poisonOf?.(body);
    if (poison === undefined || FAILING.has(poison)) return call(options, effect, poison ?? 'record');
    return call(options, async () => refusalOf(Number(poison)), 'record');
  };
  return {
    ref: hub.ref,
    pace: () => limiter.pace(),
    requests: () => ({ taken, refused }),
    listPage: (token, options) => call(options, () => hub.listPage(token, options)),
    findRegistration: (id, options) => call(options, () => hub.findRegistration(id, options)),
    findInstallation: (id, options) => call(options, () => hub.findInstallation(id, options)),
    findRows: (query, options) => call(options, () => hub.findRows(query, options)),
    putRegistration: (id, xml, options) => write(xml, options, () => hub.putRegistration(id, xml, options)),
    putInstallation: (id, json, options) => write(json, options, () => hub.putInstallation(id, json, options)),
    deleteRegistration: (id, etag, options) => call(options, () => hub.deleteRegistration(id, etag, options)),
    patchInstallation: (id, json, options) => write(json, options, () => hub.patchInstallation(id, json, options)),
    deleteInstallation: (id, options) => call(options, () => hub.deleteInstallation(id, options)),
    createRegistrationId: (options) => call(options, () => hub.createRegistrationId(options)),
    probe: (options) => call(options, () => hub.probe(options)),
  };
}

function refusalOf(status: number): WriteOutcome {
  if (status === 400) return { kind: 'idRefused', status };
  return { kind: 'rejected', status, reason: status === 413 ? 'TooLarge' : 'Rejected' };
}
