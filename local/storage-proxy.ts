import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { Azurite } from './azurite.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { createProxyRules, type ProxyRule, type ProxyRules, proxyRulesSchema } from './proxy-rules.ts';

/** Azurite's blobs and queues behind a proxy that injects faults by rules. */
export interface StorageProxy extends AsyncDisposable {
  /** Replaces azurite's own. */
  readonly connectionString: string;
  /** `GET /faults` gives the counts by name, `POST` sets rules (JSON list), `DELETE` clears them. Loopback, no keys. */
  readonly adminUrl: string;
  readonly rules: Pick<ProxyRules, 'set' | 'counts'>;
  readonly blobs: FaultProxy;
  readonly queues: FaultProxy;
}

/** Reads of a blob, not of a listing or of properties. */
const blobReads = { service: 'blob', method: 'GET', path: '^(?!.*[?&]comp=)' } as const;
const busy = (status: number, code: string) => ({ status, code });

/**
 * The faults of storage. The names of the error codes are the service's (learn.microsoft.com, "Blob
 * service error codes"). A hang is for what the worker sends: the local host's listener has no time-out of its own, as
 * the platform's has.
 */
const storageFaults = {
  'storage-503': [{ fault: busy(503, 'ServerBusy') }],
  'storage-500': [{ fault: busy(500, 'InternalError') }],
  'storage-500-after': [{ fault: { ...busy(500, 'OperationTimedOut'), isCarriedOut: true } }],
  'storage-reset-before': [{ fault: 'reset' }],
  'storage-reset-after': [{ fault: 'loseAnswer' }],
  /** A write that took effect but whose answer was lost: the retry meets its own result. */
  'storage-own-conflict': [
    { fault: 'loseAnswer', service: 'blob', method: 'PUT', header: 'if-match' },
    { fault: 'loseAnswer', service: 'blob', method: 'PUT', header: 'if-none-match' },
  ],
  'storage-lost-race': [
    { fault: busy(412, 'ConditionNotMet'), service: 'blob', method: 'PUT', header: 'if-match' },
    { fault: busy(409, 'BlobAlreadyExists'), service: 'blob', method: 'PUT', header: 'if-none-match' },
  ],
  'storage-vanished': [{ fault: busy(404, 'BlobNotFound'), ...blobReads, isFreshlyWritten: true }],
  'storage-flipped': [{ fault: 'flipByte', ...blobReads }],
  'storage-flipped-write': [
    { fault: 'flipSentByte', service: 'blob', method: 'PUT', path: '^(?!.*[?&](comp|restype)=)' },
  ],
  'storage-cut-off': [{ fault: 'cutAnswer', ...blobReads }],
  'storage-hang': [
    { fault: 'hang', service: 'blob' },
    { fault: 'hang', service: 'queue', method: 'POST' },
  ],
} as const satisfies Readonly<Record<string, readonly Omit<ProxyRule, 'name'>[]>>;

export type StorageFaultName = keyof typeof storageFaults;

/** Narrow rules first: the first rule that is due acts. */
export const storageFaultNames: readonly StorageFaultName[] = [
  'storage-lost-race',
  'storage-own-conflict',
  'storage-vanished',
  'storage-flipped',
  'storage-flipped-write',
  'storage-cut-off',
  'storage-hang',
  'storage-503',
  'storage-500',
  'storage-500-after',
  'storage-reset-before',
  'storage-reset-after',
];

/** The rules of a fault by its name, restricted further by `narrowed`. */
export function storageFault(name: StorageFaultName, narrowed: Partial<Omit<ProxyRule, 'name'>> = {}): ProxyRule[] {
  return storageFaults[name].map((rule) => ({ ...rule, ...narrowed, name }));
}

export async function startStorageProxy(
  azurite: Pick<Azurite, 'blobUrl' | 'queueUrl' | 'connectionString'>,
): Promise<StorageProxy> {
  const rules = createProxyRules();
  await using parts = new AsyncDisposableStack();
  const blobs = parts.use(await startFaultProxy(azurite.blobUrl, { rules, service: 'blob' }));
  const queues = parts.use(await startFaultProxy(azurite.queueUrl, { rules, service: 'queue' }));
  const admin = createServer((incoming, outgoing) => void answerAdmin(rules, incoming, outgoing));
  admin.listen(0, '127.0.0.1');
  await once(admin, 'listening');
  const address = admin.address();
  if (address === null || typeof address === 'string') throw new Error('The admin endpoint has no port.');
  const keep = parts.move();
  return {
    connectionString: azurite.connectionString
      .replace(azurite.blobUrl, blobs.url)
      .replace(azurite.queueUrl, queues.url),
    adminUrl: `http://127.0.0.1:${address.port}`,
    rules,
    blobs,
    queues,
    [Symbol.asyncDispose]: async () => {
      admin.closeAllConnections();
      admin.close();
      await keep.disposeAsync();
    },
  };
}

async function answerAdmin(rules: ProxyRules, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const answer = (status: number, body: unknown): void => {
    outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  const { method } = incoming;
  if (incoming.url !== '/faults') return answer(404, { error: { message: 'There is /faults only.' } });
  try {
    if (method === 'POST') rules.set(proxyRulesSchema.parse(JSON.parse(await text(incoming))));
    if (method === 'DELETE') rules.set([]);
    answer(200, rules.counts());
  } catch (error) {
    const message = error instanceof z.ZodError ? z.prettifyError(error) : 'The body is not a JSON list of rules.';
    answer(400, { error: { message } });
  }
}
