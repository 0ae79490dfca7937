import { patched } from '../../src/core/dual/patch.ts';
import type { Hub, HubRef, WriteOutcome } from '../../src/core/ports.ts';
import { parseRegistration, type Registration } from '../../src/core/registration/registration.ts';

export interface MemoryHubOptions {
  readonly ref: HubRef;
  readonly pageSize?: number;
}

export type WriteAnswer = WriteOutcome | undefined;

/** A hub in memory with the service's semantics as far as the engine sees them. Writes take effect at once. */
export interface MemoryHub extends Hub {
  /** Rows by registration id. */
  readonly rows: Map<string, string>;
  /** Calls that wrote, in order: `registration {id}`, `installation {id}`, `delete {id}`, `delete installation {id}`. */
  readonly writes: string[];
  /** Answers a write instead of the hub. */
  intercept: (kind: 'registration' | 'installation', id: string, body: string) => WriteAnswer;
  refusesForeignIds: boolean;
  /** An identical installation PUT after its rows were lost does nothing. */
  ignoresIdenticalPuts: boolean;
  loseNextToken: boolean;
  /** A hub that begins with the rows and habits of this one; nothing intercepts its writes. */
  copy(): MemoryHub;
}

const connect = 'http://schemas.microsoft.com/netservices/2010/10/servicebus/connect';

interface HubState {
  readonly rows: Map<string, string>;
  readonly minted: Set<string>;
  readonly lastPuts: Map<string, string>;
  nextId: number;
}

export function createMemoryHub(options: MemoryHubOptions): MemoryHub {
  return openMemoryHub(options, { rows: new Map(), minted: new Set(), lastPuts: new Map(), nextId: 1 });
}

function openMemoryHub({ ref, pageSize = 100 }: MemoryHubOptions, state: HubState): MemoryHub {
  const { minted, lastPuts } = state;
  const mint = (): string => {
    const id = `${ref.namespace.length}${state.nextId++}-1-1`;
    minted.add(id);
    return id;
  };
  const removeRowsOf = (installationId: string): void => {
    const tag = `$InstallationId:{${toXmlText(installationId)}}`;
    for (const [rowId, xml] of hub.rows) if (xml.includes(tag)) hub.rows.delete(rowId);
  };
  const hub: MemoryHub = {
    ref,
    rows: state.rows,
    writes: [],
    intercept: () => undefined,
    refusesForeignIds: false,
    ignoresIdenticalPuts: false,
    loseNextToken: false,
    copy() {
      const rows = new Map(hub.rows);
      const copy = openMemoryHub(
        { ref, pageSize },
        { rows, minted: new Set(minted), lastPuts: new Map(lastPuts), nextId: state.nextId },
      );
      copy.refusesForeignIds = hub.refusesForeignIds;
      copy.ignoresIdenticalPuts = hub.ignoresIdenticalPuts;
      return copy;
    },
    async listPage(token) {
      if (token !== undefined && hub.loseNextToken) {
        hub.loseNextToken = false;
        return 'tokenLost';
      }
      const all = [...hub.rows.values()];
      const from = Number(token ?? 0);
      const rows = all.slice(from, from + pageSize).map((xml) => Buffer.from(xml));
      return { rows, nextToken: from + pageSize < all.length ? String(from + pageSize) : undefined };
    },
    async findRegistration(id) {
      const xml = hub.rows.get(id);
      return xml === undefined ? undefined : Buffer.from(xml);
    },
    async findInstallation(id) {
      const tag = `$InstallationId:{${toXmlText(id)}}`;
      return [...hub.rows.values()].filter((xml) => xml.includes(tag)).map((xml) => Buffer.from(xml));
    },
    async findRows(query) {
      const isWanted = ({ tags, handle }: Registration): boolean =>
        'tag' in query
          ? tags.some((tag) => tag.toLowerCase() === query.tag.toLowerCase())
          : handle.toLowerCase() === query.handle.toLowerCase();
      return [...hub.rows.values()].filter((xml) => isWanted(parseRegistration(xml))).map((xml) => Buffer.from(xml));
    },
    async putRegistration(id, xml, { ifMatch }) {
      const answer = hub.intercept('registration', id, xml);
      if (answer !== undefined) return answer;
      if (ifMatch !== undefined && etagOf(hub.rows.get(id)) !== ifMatch) return { kind: 'changed' };
      if (hub.refusesForeignIds && !minted.has(id) && !hub.rows.has(id)) return { kind: 'idRefused', status: 410 };
      hub.writes.push(`registration ${id}`);
      const etag = etagOf(hub.rows.get(id)) + 1;
      hub.rows.set(id, withIdentity(xml, id, etag));
      return ifMatch === undefined && etag > 1 ? { kind: 'written', isReplaced: true } : { kind: 'written' };
    },
    async deleteRegistration(id, etag) {
      const xml = hub.rows.get(id);
      if (xml !== undefined && etagOf(xml) !== etag) return 'changed';
      hub.writes.push(`delete ${id}`);
      hub.rows.delete(id);
      return 'gone';
    },
    createRegistrationId: async () => mint(),
    async putInstallation(id, json) {
      const answer = hub.intercept('installation', id, json);
      if (answer !== undefined) return answer;
      hub.writes.push(`installation ${id}`);
      if (hub.ignoresIdenticalPuts && lastPuts.get(id) === json) return { kind: 'written' };
      lastPuts.set(id, json);
      removeRowsOf(id);
      const body: InstallationJson = JSON.parse(json);
      for (const xml of deriveRows(id, body)) {
        const rowId = mint();
        hub.rows.set(rowId, withIdentity(xml, rowId, 1, body.expirationTime));
      }
      return { kind: 'written' };
    },
    async patchInstallation(id, json, options) {
      const before = lastPuts.get(id);
      const isThere = (await hub.findInstallation(id, options)).length > 0;
      if (before === undefined || !isThere) return { kind: 'changed' };
      return hub.putInstallation(id, JSON.stringify(patched(JSON.parse(before), JSON.parse(json))), options);
    },
    async deleteInstallation(id) {
      hub.writes.push(`delete installation ${id}`);
      removeRowsOf(id);
    },
    probe: async () => ({ tier: 'Standard', latencyMs: 1 }),
    pace: () => ({ requestCount: 0, throttledCount: 0, millisecondsLostToThrottling: 0 }),
  };
  return hub;
}

function etagOf(xml = ''): number {
  return Number(/<ETag>(\d+)<\/ETag>/.exec(xml)?.[1] ?? 0);
}

function withIdentity(xml: string, id: string, etag: number, expirationTime = '9999-12-31T23:59:59.999Z'): string {
  const start = xml.indexOf('>') + 1;
  const identity = `<ETag>${etag}</ETag><ExpirationTime>${expirationTime}</ExpirationTime><RegistrationId>${id}</RegistrationId>`;
  return xml.slice(0, start) + identity + xml.slice(start);
}

interface InstallationJson {
  readonly platform: string;
  readonly pushChannel: string;
  readonly expirationTime?: string;
  readonly userId?: string;
  readonly tags?: readonly string[];
  readonly pushVariables?: unknown;
  readonly templates?: Readonly<
    Record<string, { body: string; tags?: readonly string[]; headers?: Record<string, string> }>
  >;
}

/** Apple and FcmV1 only: what the engine's own tests need. The emulator knows them all. */
function deriveRows(id: string, json: InstallationJson): string[] {
  const isApple = json.platform === 'apns';
  const handle = isApple
    ? `<DeviceToken>${json.pushChannel.toUpperCase()}</DeviceToken>`
    : `<FcmV1RegistrationId>${toXmlText(json.pushChannel)}</FcmV1RegistrationId>`;
  const user = json.userId === undefined ? [] : [`$UserId:{${json.userId}}`];
  const own = [`$InstallationId:{${id}}`, ...user, ...(json.tags ?? [])];
  const variables =
    json.pushVariables === undefined
      ? ''
      : `<PushVariables>${toXmlText(JSON.stringify(json.pushVariables))}</PushVariables>`;
  const describe = (kind: string, tags: readonly string[], tail: string): string =>
    `<${kind}RegistrationDescription xmlns="${connect}" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><Tags>${toXmlText([...new Set(tags)].sort().join(','))}</Tags>${variables}${handle}${tail}</${kind}RegistrationDescription>`;
  const kind = isApple ? 'Apple' : 'FcmV1';
  const templates = Object.entries(json.templates ?? {}).map(([name, { body, tags = [] }]) =>
    describe(
      `${kind}Template`,
      [...own, ...tags, name],
      `<BodyTemplate>${toXmlText(body)}</BodyTemplate><TemplateName>${toXmlText(name)}</TemplateName>`,
    ),
  );
  return [describe(kind, own, ''), ...templates];
}

function toXmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
