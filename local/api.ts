import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { SpawnedHost } from './host/spawn-host.ts';

const count = z.number();

/** A run as the HTTP API shows it, as far as the local tools look at it. */
const runView = z.object({
  /** Of a backup: whether it read a listing or an export. */
  source: z.string().optional(),
  id: z.string(),
  kind: z.enum(['backup', 'restore']),
  status: z.enum(['NotStarted', 'Running', 'Succeeded', 'Failed', 'Canceled']),
  phase: z.string(),
  createdAt: z.string(),
  finishedAt: z.string().optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
  rowsRead: count.optional(),
  result: z
    .object({
      snapshotId: z.string(),
      recordCount: count,
      registrationCount: count,
      amount: z.string().optional(),
      health: z.string(),
    })
    .optional(),
  counts: z
    .object({
      total: count,
      created: count,
      updated: count,
      unchanged: count,
      keptLive: count,
      failed: count,
      pending: count,
    })
    .catchall(count)
    .optional(),
  duplicatesCollapsed: count.optional(),
  repaired: count.optional(),
  /** Of a restore by import jobs: the registrations these were given, and what they say they made. */
  imported: z.object({ lines: count, made: count }).optional(),
  warnings: z.array(z.string()).default([]),
});

export type RunView = z.infer<typeof runView>;

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** The worker's HTTP API as a person with the function key uses it. */
export interface Api {
  call(method: string, path: string, body?: unknown): Promise<ApiAnswer>;
  /** Starts a run with POST and gives its first view. Throws with the answer when it is refused. */
  start(path: '/api/backups' | '/api/restores', body?: unknown): Promise<RunView>;
  /** Starts a run under an id of the caller's; repeating it is harmless. */
  put(path: string, body?: unknown): Promise<RunView>;
  read(kind: 'backup' | 'restore', id: string): Promise<RunView>;
  runs(kind: 'backup' | 'restore'): Promise<RunView[]>;
  /** Polls until the run is over, for ten minutes also while the app answers that it cannot say. Throws after `timeoutMs`. */
  finished(kind: 'backup' | 'restore', id: string, options?: WaitOptions): Promise<RunView>;
}

/** As the terminal tool has it: one answer of 503 is no end of a run. */
const POLL_PATIENCE_MS = 600_000;

export interface WaitOptions {
  readonly timeoutMs?: number;
  readonly onView?: (view: RunView) => void;
}

/**
 * `host` is asked for at each call: a test may replace it in between. For `patienceMs` a call is repeated while the host
 * cannot be reached, or answers 503 or 500; that is for stacks in which things are killed.
 */
export function createApi(host: () => Pick<SpawnedHost, 'url' | 'keys'>, patienceMs = 0): Api {
  const call: Api['call'] = async (method, path, body) => {
    const deadlineAt = Date.now() + patienceMs;
    for (;;) {
      const isLast = Date.now() >= deadlineAt;
      const answer = await callOnce(method, path, body).catch((error: unknown) => {
        if (isLast) throw error;
        return undefined; // The host is down at the moment.
      });
      if (answer !== undefined && (answer.status < 500 || isLast)) return answer;
      await sleep(250);
    }
  };
  const callOnce: Api['call'] = async (method, path, body) => {
    const { url, keys } = host();
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        'x-functions-key': keys.default,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  };
  const read: Api['read'] = async (kind, id) => parseView(await call('GET', `/api/${kind}s/${id}`));
  const readPatiently: Api['read'] = async (kind, id) => {
    const deadlineAt = Date.now() + POLL_PATIENCE_MS;
    for (;;) {
      const answer = await call('GET', `/api/${kind}s/${id}`);
      if (answer.status < 500 || Date.now() >= deadlineAt) return parseView(answer);
      await sleep(1000);
    }
  };
  return {
    call,
    read,
    async start(path, body) {
      for (;;) {
        const answer = await call('POST', path, body);
        if (!isRunNotOver(answer)) return parseView(answer);
        await sleep(1000);
      }
    },
    put: async (path, body) => parseView(await call('PUT', path, body)),
    runs: async (kind) => {
      const answer = await call('GET', `/api/${kind}s`);
      return z.object({ value: z.array(runView) }).parse(answer.body).value;
    },
    async finished(kind, id, { timeoutMs = 600_000, onView } = {}) {
      const deadlineAt = Date.now() + timeoutMs;
      for (;;) {
        const view = await readPatiently(kind, id);
        onView?.(view);
        if (view.status !== 'Running' && view.status !== 'NotStarted') return view;
        if (Date.now() > deadlineAt) throw new Error(`The ${kind} ${id} is still ${view.phase} after ${timeoutMs} ms.`);
        await sleep(250);
      }
    },
  };
}

/** Steps of a run that has ended may still write: the answer says until when, and to ask again then. */
function isRunNotOver({ status, body }: ApiAnswer): boolean {
  return status === 409 && z.object({ error: z.object({ code: z.literal('RunNotOver') }) }).safeParse(body).success;
}

function parseView({ status, body }: ApiAnswer): RunView {
  const parsed = runView.safeParse(body);
  if (status < 300 && parsed.success) return parsed.data;
  throw new Error(`The API answered ${status}: ${JSON.stringify(body)}`);
}
