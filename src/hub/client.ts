import { DrError, RecordFault } from '../core/errors.ts';
import {
  type CallOptions,
  type Hub,
  type HubProbe,
  MOST_ROWS_FOUND,
  type ProbeOptions,
  type RowQuery,
  type WriteOutcome,
} from '../core/ports.ts';
import { asQueryValue, HubListing, MAX_DAMAGED_PAGES, nextTokenIn, PAGE_SIZE } from './listing.ts';
import { readPage, readSingle } from './page/page.ts';
import { PushChannels } from './push-channel.ts';
import { refusal, requireOk } from './refusal.ts';
import { type HubAnswer, type HubRequest, wordsOf } from './transport/request.ts';
import { Transport, type TransportOptions } from './transport/transport.ts';

/** A hub over HTTP. */
export interface HubClient extends Hub {
  /** Ends its connections. */
  close(): Promise<void>;
}

/** A hub that will not say its tier must not hold up a restore. */
const FEATURE_PATIENCE_MS = 5000;

const JSON_TYPE = 'application/json;charset=utf-8';
const ENTRY_TYPE = 'application/atom+xml;type=entry;charset=utf-8';

/** Our own thin client for what this app does with a hub; `docs/decisions` says why not the SDK. */
export function createHub(options: TransportOptions & { readonly rowPatienceMs?: number }): HubClient {
  const { connection, clock } = options;
  const transport = new Transport(options);
  const listing = new HubListing(transport, clock.now, options.rowPatienceMs);
  const endpoint: HubEndpoint = { transport, listing, where: transport.where, now: clock.now };
  const channels = new PushChannels();
  return {
    ref: connection.ref,
    listPage: (token, call) => listing.page(token, call),
    deleteRegistration(id, ifMatch, call) {
      const path = pathOf('registrations', id);
      return remove(endpoint, { operation: 'deleteRegistration', method: 'DELETE', path, ifMatch }, call);
    },
    async deleteInstallation(id, call) {
      const path = pathOf('installations', id);
      await remove(endpoint, { operation: 'deleteInstallation', method: 'DELETE', path }, call);
    },
    createRegistrationId: (call) => createRegistrationId(endpoint, call),
    probe: (call) => probe(endpoint, call),
    findRegistration: (id, call) => findRegistration(endpoint, id, call),
    findInstallation: (id, call) => findInstallation(endpoint, id, call),
    findRows: (query, call) => findRows(endpoint, query, call),
    putRegistration(id, xml, { ifMatch, ...call }) {
      const body = `<entry xmlns="http://www.w3.org/2005/Atom"><content type="application/xml">${xml}</content></entry>`;
      const path = pathOf('registrations', id);
      const isNew = ifMatch === undefined;
      const operation = isNew ? 'putRegistration' : 'updateRegistration';
      const request = {
        operation,
        method: 'PUT',
        path,
        contentType: ENTRY_TYPE,
        body,
        ifMatch,
        readsAnswer: isNew,
      } as const;
      return put(endpoint, request, call);
    },
    putInstallation: (id, body, call) => putInstallation(endpoint, channels, id, body, call),
    patchInstallation(id, body, call) {
      const path = pathOf('installations', id);
      const request = { operation: 'patchInstallation', method: 'PATCH', path, contentType: JSON_TYPE, body } as const;
      return put(endpoint, request, call);
    },
    pace: () => options.limiter.pace(),
    close: () => transport.close(),
  };
}

interface HubEndpoint {
  readonly transport: Transport;
  readonly listing: HubListing;
  /** What messages call the hub. */
  readonly where: string;
  readonly now: () => number;
}

async function findRegistration(hub: HubEndpoint, id: string, call: CallOptions): Promise<Uint8Array | undefined> {
  const path = pathOf('registrations', id);
  return readAbout(hub, { operation: 'findRegistration', method: 'GET', path }, call, readSingle);
}

async function findInstallation(hub: HubEndpoint, id: string, call: CallOptions): Promise<readonly Uint8Array[]> {
  const path = `tags/${encodeURIComponent(`$InstallationId:{${id}}`)}/registrations`;
  return (await readAbout(hub, { operation: 'findByTag', method: 'GET', path }, call, readPage)) ?? [];
}

/** What is not there is `undefined`. What cannot be read however often it is asked for is the record's trouble. */
async function readAbout<T>(
  hub: HubEndpoint,
  request: HubRequest,
  call: CallOptions,
  read: (body: Uint8Array) => T,
): Promise<T | undefined> {
  for (let tries = 1; ; tries++) {
    const answer = await callAbout(hub, request, call);
    if (answer.verdict.kind === 'gone') return undefined;
    requireOk(answer, hub.where);
    try {
      return read(answer.body);
    } catch (error) {
      if (!(error instanceof DrError)) throw error;
      if (error.code === 'HubNotFound') throw refusal({ kind: 'notFound' }, answer.status, hub.where);
      if (tries < MAX_DAMAGED_PAGES) continue;
      throw new RecordFault(error.code, error.message, { target: hub.where, status: answer.status, cause: error });
    }
  }
}

/** What is answered to a call about one record, where it may be the hub's or the record's. */
const SAYS_LITTLE: ReadonlySet<HubAnswer['verdict']['kind']> = new Set([
  'unauthorized',
  'olderVersion',
  'forbidden',
  'notFound',
  'unexpected',
]);

/**
 * A call about one registration or installation. Whether the hub is there, takes the key and gives the right is decided
 * by calls about the hub: throws what they throw, or else `RecordFault`.
 */
async function callAbout(
  { transport, where }: HubEndpoint,
  request: HubRequest,
  { deadlineAt, givesWay, onRepeated }: CallOptions,
): Promise<HubAnswer> {
  const answer = await transport.call({ ...request, givesWay, onRepeated }, deadlineAt);
  if (!SAYS_LITTLE.has(answer.verdict.kind)) return answer;
  for (const asked of await transport.askHub(request, deadlineAt)) requireOk(asked, where);
  const { status } = answer;
  const message = `The ${where} answered a call about one record with status ${status}, and serves others.`;
  throw new RecordFault('HubMisbehaves', message, { target: where, status, words: wordsOf(request, answer) });
}

/** By `ChannelUri`, as the .NET SDK asks for a device of any platform (service-facts 1.4). */
async function findRows(hub: HubEndpoint, query: RowQuery, call: CallOptions): Promise<readonly Uint8Array[]> {
  const path = 'tag' in query ? `tags/${encodeURIComponent(query.tag)}/registrations` : 'registrations';
  const filter = 'tag' in query ? '' : `&$filter=${encodeURIComponent(`ChannelUri eq '${query.handle}'`)}`;
  const rows: Uint8Array[] = [];
  let token: string | undefined;
  do {
    const from = token === undefined ? '' : `&continuationtoken=${asQueryValue(token)}`;
    const request = {
      operation: 'findByTag',
      method: 'GET',
      path,
      query: `$top=${PAGE_SIZE}${filter}${from}`,
    } as const;
    const answer = await callAbout(hub, request, call);
    requireOk(answer, hub.where);
    rows.push(...readPage(answer.body));
    token = nextTokenIn(answer.header);
  } while (token !== undefined && rows.length < MOST_ROWS_FOUND);
  return rows;
}

async function createRegistrationId(
  { transport, where }: HubEndpoint,
  { deadlineAt }: CallOptions,
  isCutOff = false,
): Promise<string> {
  const path = 'registrationIDs';
  const request = { operation: 'newRegistrationId', method: 'POST', path, contentType: ENTRY_TYPE, isCutOff } as const;
  const answer = await transport.call(request, deadlineAt);
  requireOk(answer, where);
  const location = answer.header('location') ?? answer.header('content-location') ?? '';
  const id = /\/registrations?(?:ids)?\/([^/?]+)/i.exec(location)?.[1];
  if (id !== undefined) return decoded(id);
  throw new DrError('HubMisbehaves', `The ${where} minted a registration id without saying which.`, { target: where });
}

function decoded(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    // A percent sign of its own: the text is the id.
    return id;
  }
}

function pathOf(collection: 'registrations' | 'installations', id: string): string {
  return `${collection}/${encodeURIComponent(id)}`;
}

async function remove(hub: HubEndpoint, request: HubRequest, call: CallOptions): Promise<'gone' | 'changed'> {
  const { verdict, status } = await callAbout(hub, request, call);
  if (verdict.kind === 'ok' || verdict.kind === 'gone') return 'gone';
  if (verdict.kind === 'stale') return 'changed';
  throw refusal(verdict, status, hub.where);
}

/**
 * Lists (the Manage right), mints an id (the right to write) and asks for a feature only the Standard tier has. Cut off
 * at the deadline, for a caller waits.
 */
async function probe(endpoint: HubEndpoint, { deadlineAt, isBrief }: ProbeOptions): Promise<HubProbe> {
  const call = { deadlineAt };
  let latencyMs = 0;
  const timed = async <T>(work: () => Promise<T>): Promise<T> => {
    const startedAt = endpoint.now();
    const result = await work();
    latencyMs = Math.max(latencyMs, endpoint.now() - startedAt);
    return result;
  };
  await timed(() => endpoint.listing.tryFirstRow({ ...call, isCutOff: true }));
  if (isBrief) return { tier: 'unknown', latencyMs };
  const [, tier] = await Promise.all([
    timed(() => createRegistrationId(endpoint, call, true)),
    timed(() => readTier(endpoint, call)),
  ]);
  return { tier, latencyMs };
}

async function readTier({ transport, now }: HubEndpoint, call: CallOptions): Promise<HubProbe['tier']> {
  const deadlineAt = Math.min(call.deadlineAt, now() + FEATURE_PATIENCE_MS);
  try {
    const path = 'feedbackcontainer';
    const request = { operation: 'feature', method: 'GET', path, isCutOff: true } as const;
    const { verdict, status } = await transport.call(request, deadlineAt);
    if (verdict.kind === 'ok') return 'Standard';
    return status === 403 ? 'BasicOrFree' : 'unknown';
  } catch (error) {
    // Best effort: the two calls before have shown that the hub serves.
    if (error instanceof DrError && error.code === 'HubUnavailable') return 'unknown';
    throw error;
  }
}

async function putInstallation(
  hub: HubEndpoint,
  channels: PushChannels,
  id: string,
  json: string,
  call: CallOptions,
): Promise<WriteOutcome> {
  const send = (body: string): Promise<WriteOutcome> => {
    const path = pathOf('installations', id);
    return put(hub, { operation: 'putInstallation', method: 'PUT', path, contentType: JSON_TYPE, body }, call);
  };
  const body = channels.inTakenForm(json);
  const first = await send(body);
  const other = first.kind === 'rejected' && first.status === 400 ? channels.inOtherForm(body) : undefined;
  if (other === undefined) return first;
  const second = await send(other);
  if (second.kind !== 'written') return first;
  channels.noteTaken(other);
  return second;
}

const WRITTEN: WriteOutcome = { kind: 'written' };
const REPLACED: WriteOutcome = { kind: 'written', isReplaced: true };

const ETAG = Buffer.from('<ETag>');
const FIRST_ETAG = Buffer.from('<ETag>1</ETag>');

/** A new registration has the ETag 1. */
function isLaterVersion(body: Uint8Array): boolean {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const at = bytes.indexOf(ETAG);
  return at >= 0 && !bytes.subarray(at, at + FIRST_ETAG.length).equals(FIRST_ETAG);
}

async function put(hub: HubEndpoint, request: HubRequest, call: CallOptions): Promise<WriteOutcome> {
  let answer: HubAnswer;
  try {
    answer = await callAbout(hub, request, call);
  } catch (error) {
    if (!(error instanceof RecordFault) || error.retryable) throw error;
    return { kind: 'rejected', status: error.status ?? 0, reason: 'Rejected', words: error.words };
  }
  const { verdict, status, isRetried, body } = answer;
  switch (verdict.kind) {
    case 'ok':
      return request.readsAnswer && !isRetried && isLaterVersion(body) ? REPLACED : WRITTEN;
    case 'idRefused':
      return { kind: 'idRefused', status };
    case 'rejected':
      return { kind: 'rejected', status, reason: verdict.reason, words: wordsOf(request, answer) };
    case 'stale':
    case 'gone':
      return isRetried ? { kind: 'changed', isRetried } : { kind: 'changed' };
    default:
      throw refusal(verdict, status, hub.where);
  }
}
