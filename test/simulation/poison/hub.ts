import type { CallOptions, Hub, Page, WriteOutcome } from '../../../src/core/ports.ts';
import type { Calls, HubParts } from '../hub.ts';
import type { HubStore } from '../hub-store.ts';
import { type Caller, currentCaller } from '../net.ts';
import { readDescription, type Writer } from '../row.ts';
import type { Bane, Poison } from './poison.ts';

/** A hub is asked for so long for a row of its listing before that is left out, and this long after the last time. */
const ROW_PATIENCE_MS = 5 * 60_000;
const TROUBLE_ENDS_MS = 15 * 60_000;
/** What the client makes of a record, in one call: some tries, or the patience it has in an outage, or one without an answer. */
const TRIES_MS = 600;
const PATIENCE_MS = 8000;
const NO_ANSWER_MS = 30_000;
/** For so long it counts that a hub has carried out another such call. */
const SERVED_MS = 10 * 60_000;

type Operation = 'put' | 'install' | 'delete' | 'uninstall' | 'find';

/** The `Hub` port of any process over one that fails at certain records, as its client tells it. */
export function createPoisonedHub(hub: Hub, store: HubStore, calls: Calls, parts: HubParts, poison: Poison): Hub {
  const { engine, random, now, sometimes } = parts;
  const served = new Map<string, number>();
  const troubles = new Map<string, { since: number; lastAt: number }>();
  const nameOf = ({ process: { name, epoch } }: Caller, operation: Operation): string =>
    `${name} ${epoch} ${operation}`;
  const target = hub.ref.namespace;

  const fail = async (
    operation: Operation,
    key: string,
    bane: Bane,
    options: CallOptions,
    effect: (by: Writer) => void = () => {},
  ): Promise<Error> => {
    sometimes(`poison ${operation} ${bane.answer}`);
    const sentAt = now();
    const leftMs = Math.max(0, options.deadlineAt - currentCaller().process.skewMs - now());
    const longMs = bane.answer === 'never' ? NO_ANSWER_MS : options.givesWay ? random.below(TRIES_MS) : PATIENCE_MS;
    const waitMs = Math.min(longMs, leftMs / 2);
    await calls.call(
      `${operation} ${key} fails`,
      store.knobs.writeMs,
      { ...options, waitMs, isWaitedFor: true },
      (caller) => {
        if (bane.isCarriedOut && operation !== 'find') effect(parts.onWrite({ caller, call: operation, key, sentAt }));
      },
    );
    const { answer } = bane;
    const isRefused = answer === 404 || answer === 501;
    const isSure = now() - (served.get(nameOf(currentCaller(), operation)) ?? Number.NEGATIVE_INFINITY) < SERVED_MS;
    return new engine.RecordFault(isRefused ? 'HubMisbehaves' : 'HubUnavailable', 'The simulated hub fails at it.', {
      retryable: !isRefused,
      hasNoEffect: answer === 409,
      target,
      isSure,
      seen: `${answer}`,
      ...(typeof answer === 'number' ? { status: answer } : {}),
    });
  };
  const serve = async <T>(operation: Operation, work: Promise<T>): Promise<T> => {
    const done = await work;
    served.set(nameOf(currentCaller(), operation), now());
    return done;
  };
  const accept = (operation: Operation, key: string, options: CallOptions): Promise<WriteOutcome> => {
    sometimes(`poison ${operation} notKept`);
    return calls.write(operation, key, options, (): WriteOutcome => ({ kind: 'written' }));
  };
  const loseLater = (ids: () => readonly string[]): void => {
    const [, mostMs] = store.knobs.installationDelayMs;
    parts.after(mostMs + random.spread(500, 120_000), () => {
      for (const id of ids()) store.lose(id);
    });
  };

  return {
    ...hub,
    async listPage(token, options) {
      const page = await hub.listPage(token, options);
      if (page === 'tokenLost') return page;
      const at = page.rows.findIndex((row) => poison.isUnlistable(store.name, idIn(row)));
      if (at < 0) return page;
      sometimes('poison page');
      const [offset = 0, mark = 0] = (token ?? '').split(';').map(Number);
      if (at > 0) return { rows: page.rows.slice(0, at), nextToken: `${offset + at};${mark + 1}` };
      const { name, epoch } = currentCaller().process;
      const known = troubles.get(`${name} ${epoch}`);
      const since = known !== undefined && now() - known.lastAt < TROUBLE_ENDS_MS ? known.since : now();
      troubles.set(`${name} ${epoch}`, { since, lastAt: now() });
      const isLasting = now() - since >= ROW_PATIENCE_MS;
      if (isLasting && !poison.isDeadEnd()) {
        sometimes('poison row left out');
        const left: Page = { rows: [], missing: [0], nextToken: `${offset + 1};${mark + 1}` };
        return left;
      }
      const code = isLasting ? 'HubMisbehaves' : 'HubUnavailable';
      throw new engine.RecordFault(code, 'The simulated hub fails at a row of its listing.', {
        ...{ retryable: !isLasting, target, seen: 'status 500' },
      });
    },
    async putRegistration(id, xml, options) {
      const given = readDescription(xml);
      const bane = poison.of(store.name, given);
      if (bane?.isOfWrites !== true) return serve('put', hub.putRegistration(id, xml, options));
      if (options.ifMatch !== undefined && (bane.answer === 404 || bane.answer === 400)) {
        sometimes(`poison update ${bane.answer}`);
        await calls.call(`put ${id} refused`, store.knobs.writeMs, options, () => undefined);
        return bane.answer === 404 ? { kind: 'changed' } : { kind: 'rejected', status: 400, reason: 'Rejected' };
      }
      switch (bane.answer) {
        case 404:
        case 400:
          sometimes(`poison put ${bane.answer}`);
          await calls.call(`put ${id} refused`, store.knobs.writeMs, options, () => undefined);
          return { kind: 'idRefused', status: bane.answer };
        case 501:
          sometimes('poison put 501');
          await calls.call(`put ${id} refused`, store.knobs.writeMs, options, () => undefined);
          return { kind: 'rejected', status: 501, reason: 'Rejected' };
        case 'notKept':
          return accept('put', id, options);
        case 'removedLater': {
          const answer = await serve('put', hub.putRegistration(id, xml, options));
          if (answer.kind === 'written') loseLater(() => [id]);
          return answer;
        }
        default:
          throw await fail('put', id, bane, options, (by) => {
            store.putRegistration(id, given, by, options.ifMatch);
          });
      }
    },
    async putInstallation(id, json, options) {
      const bane = poison.of(store.name, { installationId: id, handle: '' });
      if (bane?.isOfWrites !== true) return serve('install', hub.putInstallation(id, json, options));
      switch (bane.answer) {
        case 400:
        case 404:
        case 501:
          sometimes(`poison install ${bane.answer}`);
          await calls.call(`install ${id} refused`, store.knobs.writeMs, options, () => undefined);
          return { kind: 'rejected', status: bane.answer, reason: 'Rejected' };
        case 'notKept':
          return accept('install', id, options);
        case 'removedLater': {
          const answer = await serve('install', hub.putInstallation(id, json, options));
          if (answer.kind === 'written') loseLater(() => store.rowsOfInstallation(id).map((row) => row.id));
          return answer;
        }
        default:
          throw await fail('install', id, bane, options);
      }
    },
    async deleteRegistration(id, etag, options) {
      const row = store.row(id);
      const bane = row && poison.of(store.name, row);
      if (bane?.isOfDeletes !== true) return serve('delete', hub.deleteRegistration(id, etag, options));
      if (bane.answer === 404) {
        sometimes('poison delete 404');
        await calls.call(`delete ${id} not done`, store.knobs.writeMs, options, (caller) =>
          parts.onNotDone(caller, id),
        );
        return 'gone';
      }
      throw await fail('delete', id, bane, options, (by) => {
        store.deleteRegistration(id, etag, by);
      });
    },
    async deleteInstallation(id, options) {
      const bane = poison.of(store.name, { installationId: id, handle: '' });
      if (bane?.isOfDeletes !== true) return serve('uninstall', hub.deleteInstallation(id, options));
      if (bane.answer === 404) {
        sometimes('poison uninstall 404');
        await calls.call(`uninstall ${id} not done`, store.knobs.writeMs, options, (caller) =>
          parts.onNotDone(caller, id),
        );
        return;
      }
      throw await fail('uninstall', id, bane, options, (by) => {
        store.deleteInstallation(id, by);
      });
    },
    async findRegistration(id, options) {
      const row = store.row(id);
      const bane = row && poison.of(store.name, row);
      if (bane?.isOfQuestions !== true || bane.answer === 404) return serve('find', hub.findRegistration(id, options));
      throw await fail('find', id, bane, options);
    },
    async findInstallation(id, options) {
      const bane = poison.of(store.name, { installationId: id, handle: '' });
      if (bane?.isOfQuestions !== true) return serve('find', hub.findInstallation(id, options));
      throw await fail('find', id, bane, options);
    },
  };
}

function idIn(row: Uint8Array): string {
  return /<RegistrationId>([^<]*)</.exec(Buffer.from(row).toString('latin1'))?.[1] ?? '';
}
