import type { CallOptions, Hub, HubRef, WriteOutcome } from '../../src/core/ports.ts';
import type { Engine } from './engine.ts';
import type { HubStore } from './hub-store.ts';
import type { InstallationBody } from './installation-body.ts';
import type { Knobs } from './knobs.ts';
import { type Caller, currentCaller, type Net } from './net.ts';
import type { Door } from './night.ts';
import type { HubWrite } from './oracle/oracle.ts';
import type { Random } from './random.ts';
import { type Description, type Row, readDescription, renderRow, type Writer } from './row.ts';

export interface HubParts {
  readonly net: Net;
  readonly door: Door;
  readonly engine: Pick<Engine, 'DrError' | 'RecordFault'>;
  readonly knobs: Knobs;
  readonly random: Random;
  /** Called when a listing has shown a page: devices may speak meanwhile, also the last it has shown. */
  readonly onPage: (lastHandle: string | undefined) => void;
  /** No device has more tags than there may be. */
  readonly onRejected: (installationId: string) => void;
  readonly onListing: (caller: Caller) => void;
  readonly onShown: (caller: Caller, rows: readonly Row[], isListed: boolean) => void;
  readonly onQuestion: (caller: Caller, key: string) => void;
  /** Called when the hub takes a write of the app; tells whose it is. */
  readonly onWrite: (write: HubWrite) => Writer;
  /** Called when it did not take it: the id is none of its own, or what lives there is another version. */
  readonly onRefused: (caller: Caller, id: string) => void;
  /** Called when it says that it has removed what it keeps. */
  readonly onNotDone: (caller: Caller, key: string) => void;
  readonly now: () => number;
  readonly after: (milliseconds: number, work: () => void) => void;
  readonly sometimes: (what: string) => void;
}

interface HowLong {
  /** Beyond its trip. */
  readonly waitMs?: number;
  /** What is under way at the deadline is waited for. */
  readonly isWaitedFor?: true;
}

/** The calls of any process to a hub of the simulation. */
export interface Calls {
  call<T>(name: string, ms: number, options: CallOptions & HowLong, effect: (caller: Caller) => T): Promise<T>;
  write<T>(kind: string, key: string, options: CallOptions, effect: (by: Writer, caller: Caller) => T): Promise<T>;
}

export function openCalls(store: HubStore, ref: HubRef, parts: HubParts): Calls {
  const { net, door, engine, knobs, now } = parts;
  const target = `hub ${ref.namespace}/${ref.hub}`;
  const fault = (more: object = {}): Error =>
    new engine.DrError('HubUnavailable', 'The simulated hub does not answer.', { retryable: true, target, ...more });
  const call: Calls['call'] = (name, ms, options, effect) => {
    const label = `${store.name} ${name}`;
    // The deadline is by the clock of its process.
    const deadlineAt = options.deadlineAt - currentCaller().process.skewMs;
    const admission = door.admit(deadlineAt);
    const waitMs = admission.waitMs + (options.waitMs ?? 0);
    const ends = options.isWaitedFor === true ? {} : { deadlineAt };
    const common = { label, isOfHub: true, waitMs, ...ends, effect };
    if (admission.kind === 'served') {
      return net.call({ ...common, milliseconds: ms, faults: knobs.hubFaults, fault: () => fault() });
    }
    const { seen, retryAfterMs } = admission;
    const refusal = (): Error => fault({ seen, retryAfterMs, hasNoEffect: true });
    return net.call({ ...common, milliseconds: 0, faults: 0, isUnanswered: true, fault: refusal });
  };
  const write: Calls['write'] = (kind, key, options, effect) => {
    const sentAt = now();
    return call(`${kind} ${key}`, writeMsOf(store, knobs), options, (caller) =>
      effect(parts.onWrite({ caller, call: kind, key, sentAt }), caller),
    );
  };
  return { call, write };
}

/** The `Hub` port of any process, over a hub of the simulation. */
export function createHub(store: HubStore, ref: HubRef, parts: HubParts, { call, write }: Calls): Hub {
  return {
    ref,
    async listPage(token, options) {
      const page = await call(`page ${token ?? 'first'}`, store.knobs.listMs, options, (caller) => {
        if (token === undefined) parts.onListing(caller);
        const { rows, nextToken } = readPage(store, token, parts.random);
        parts.onShown(caller, rows, true);
        parts.onPage(rows.at(-1)?.handle);
        return { rows: rows.map(renderRow), nextToken };
      });
      if (page.nextToken !== undefined) options.onNextToken?.(page.nextToken);
      return page;
    },
    putRegistration: (id, xml, options) =>
      write('put', id, options, (by, caller): WriteOutcome => {
        const answer = store.putRegistration(id, readDescription(xml), by, options.ifMatch);
        if (answer === 'refused') {
          parts.onRefused(caller, id);
          return { kind: 'idRefused', status: 410 };
        }
        if (answer === 'stale') {
          parts.onRefused(caller, id);
          return { kind: 'changed' };
        }
        const isReplaced = options.ifMatch === undefined && (store.row(id)?.etag ?? 1) > 1;
        return isReplaced ? { kind: 'written', isReplaced } : { kind: 'written' };
      }),
    findRegistration: (id, options) =>
      call(`find ${id}`, store.knobs.listMs, options, (caller) => {
        parts.onQuestion(caller, id);
        const row = store.row(id);
        parts.onShown(caller, row === undefined ? [] : [row], false);
        return row === undefined ? undefined : renderRow(row);
      }),
    findInstallation: (id, options) =>
      call(`find installation ${id}`, store.knobs.listMs, options, (caller) => {
        parts.onQuestion(caller, id);
        const rows = store.rowsOfInstallation(id);
        parts.onShown(caller, rows, false);
        return rows.map(renderRow);
      }),
    findRows: (query, options) =>
      call('find rows', store.knobs.listMs, options, (caller) => {
        if (!('handle' in query)) throw new Error('Nothing that is simulated asks for rows by their tag.');
        const rows = store.rowsOfHandle(query.handle);
        parts.onShown(caller, rows, false);
        return rows.map(renderRow);
      }),
    deleteRegistration: (id, etag, options) =>
      write('delete', id, options, (by) => store.deleteRegistration(id, etag, by)),
    createRegistrationId: (options) => call('mint', store.knobs.writeMs, options, () => store.mintId()),
    putInstallation: (id, json, options) =>
      write('install', id, options, (by): WriteOutcome => {
        const answer = store.putInstallation(readInstallation(JSON.parse(json)), by);
        if (answer === 'rejected') parts.onRejected(id);
        return answer === 'rejected' ? { kind: 'rejected', status: 400, reason: 'Rejected' } : { kind: 'written' };
      }),
    patchInstallation: (id, json, options) =>
      write('patch', id, options, (by): WriteOutcome => {
        const change = readPatches(JSON.parse(json));
        return store.patchInstallation(id, change, by) === 'missing' ? { kind: 'changed' } : { kind: 'written' };
      }),
    deleteInstallation: (id, options) => write('uninstall', id, options, (by) => store.deleteInstallation(id, by)),
    probe: (options) => call('probe', store.knobs.listMs, options, () => ({ tier: 'Standard', latencyMs: 1 }) as const),
    pace: () => ({ requestCount: 0, throttledCount: 0, millisecondsLostToThrottling: 0 }),
  };
}

/** While it throttles longer, but never longer than a step can wait. */
function writeMsOf({ knobs: { writeMs }, slowness }: HubStore, { policy }: Knobs): number {
  return Math.min(writeMs * slowness, Math.max(writeMs, policy.stepBudgetMs / 4));
}

/** Tokens are offsets, as recorded, with a mark that tells one from the one before. */
function readPage(store: HubStore, token: string | undefined, random: Random) {
  const [offset = 0, mark = 0] = (token ?? '').split(';').map(Number);
  const { pageSize, shortPages, emptyPages, hasLastToken } = store.knobs;
  const rows = store.listed();
  const isEmpty = random.chance(emptyPages);
  const size = random.chance(shortPages) ? random.between(1, pageSize) : pageSize;
  const end = isEmpty ? offset : Math.min(rows.length, offset + size);
  const isLast = end >= rows.length && !isEmpty && !(hasLastToken && end > offset);
  const nextToken = isLast ? undefined : `${end};${mark + 1}`;
  return { rows: rows.slice(offset, end), nextToken };
}

interface InstallationJson {
  readonly installationId: string;
  readonly platform: string;
  readonly pushChannel: string;
  readonly expirationTime?: string;
  readonly tags?: readonly string[];
  readonly templates?: Readonly<Record<string, { readonly body: string; readonly tags?: readonly string[] }>>;
}

export function readInstallation({ installationId, platform, ...rest }: InstallationJson): InstallationBody {
  const kind: Description['platform'] = platform === 'apns' ? 'Apple' : 'FcmV1';
  const [template] = Object.values(rest.templates ?? {});
  return {
    installationId,
    platform: kind,
    handle: rest.pushChannel,
    tags: rest.tags ?? [],
    body: template?.body,
    ...(template?.tags === undefined ? {} : { templateTags: template.tags }),
    expiresAt: rest.expirationTime === undefined ? undefined : Date.parse(rest.expirationTime),
  };
}

/** Of the patches that are simulated. */
export function readPatches(
  patches: readonly { readonly op: string; readonly path: string; readonly value: string }[],
) {
  return (before: InstallationBody): InstallationBody => {
    let body = before;
    for (const { op, path, value } of patches) {
      if (op === 'add' && path === '/tags') {
        body = { ...body, tags: [...body.tags.filter((tag) => tag !== value), value] };
      } else if (op === 'replace' && path === '/pushChannel') body = { ...body, handle: value };
      else throw new Error(`Nothing that is simulated patches ${path}.`);
    }
    return body;
  };
}
