import type { CallOptions, Clock, Hub } from '../../src/core/ports.ts';
import { Limiter } from '../../src/hub/limiter.ts';
import { type Attempt, retry } from '../../src/hub/retry.ts';

export interface PacedHub extends Hub {
  /** Requests that the service took, and those it refused. */
  readonly requests: () => { readonly taken: number; readonly refused: number };
}

export interface PacedOptions {
  readonly clock: Clock;
  /** Requests that the service takes in a second. */
  readonly perSecond: number;
  readonly maxConcurrency?: number;
  readonly latencyMs?: number;
  /** The service refuses all connections. */
  readonly isAway?: () => boolean;
}

/** As the emulator has it. */
const BURST = 10;

/** A hub behind a service that throttles, as the real client calls it: through the limiter and with its retries. */
export function pacedHub(hub: Hub, options: PacedOptions): PacedHub {
  const { clock, perSecond, maxConcurrency = 64, latencyMs = 20, isAway = () => false } = options;
  const limiter = new Limiter({ maxConcurrency, clock });
  let taken = 0;
  let refused = 0;
  let tokens = BURST;
  let filledAt = clock.now();
  const mayPass = (): boolean => {
    const now = clock.now();
    tokens = Math.min(BURST, tokens + ((now - filledAt) * perSecond) / 1000);
    filledAt = now;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
  const call = async <T>({ deadlineAt }: CallOptions, effect: () => Promise<T>): Promise<T> => {
    const attempt = async (): Promise<Attempt<T>> => {
      const permit = await limiter.acquire(deadlineAt);
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
      permit.release('accepted');
      return { kind: 'done', value: await effect() };
    };
    const where = `hub ${hub.ref.namespace}/${hub.ref.hub}`;
    return retry(await attempt(), attempt, { where, deadlineAt, clock, random: () => 0.5 });
  };
  return {
    ref: hub.ref,
    pace: () => limiter.pace(),
    requests: () => ({ taken, refused }),
    listPage: (token, options) => call(options, () => hub.listPage(token, options)),
    findRegistration: (id, options) => call(options, () => hub.findRegistration(id, options)),
    findInstallation: (id, options) => call(options, () => hub.findInstallation(id, options)),
    findRows: (query, options) => call(options, () => hub.findRows(query, options)),
    putRegistration: (id, xml, options) => call(options, () => hub.putRegistration(id, xml, options)),
    putInstallation: (id, json, options) => call(options, () => hub.putInstallation(id, json, options)),
    deleteRegistration: (id, etag, options) => call(options, () => hub.deleteRegistration(id, etag, options)),
    deleteInstallation: (id, options) => call(options, () => hub.deleteInstallation(id, options)),
    createRegistrationId: (options) => call(options, () => hub.createRegistrationId(options)),
    probe: (options) => call(options, () => hub.probe(options)),
  };
}
