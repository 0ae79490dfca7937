import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { faultRulesSchema } from '../emulator/faults.ts';
import { listen, readBody } from '../emulator/namespace-server.ts';
import { churnOptionsSchema } from './churn.ts';
import type { EmulatedHub } from './emulated-hub.ts';
import type { EmulatedNamespace } from './emulated-namespace.ts';
import { armFaultsSchema, armRolesSchema, type ResourceManager } from './resource-manager.ts';
import { seedOptionsSchema } from './seed.ts';

/** Emulated namespaces and their hubs. */
export interface Lab {
  readonly namespaces: readonly EmulatedNamespace[];
  /** @throws RangeError when there is none of that name. */
  namespace(name: string): EmulatedNamespace;
  /** @throws RangeError when there is none of that name. */
  hub(namespace: string, hub: string): EmulatedHub;
  readonly arm: ResourceManager;
}

type NamespaceAction = (lab: Lab, name: string, body: unknown) => unknown;
type HubAction = (hub: EmulatedHub, body: unknown, lab: Lab) => unknown;

const goLiveSchema = z.strictObject({
  from: z.string().regex(/^[^/]+\/[^/]+$/, 'is namespace/hub'),
  add: z.int().min(0).default(0),
  returning: z.int().min(0).default(0),
  seed: z.int().min(0).default(1),
});
const latencySchema = z.strictObject({ latencyMs: z.number().min(0) });
const broadcastSchema = z.strictObject({ message: z.string().min(1).optional() });
const pushSchema = z.strictObject({ tags: z.array(z.string().min(1)) });
const markDeadSchema = z.strictObject({
  handles: z.array(z.string().min(1)),
  error: z.string().default('ExpiredChannel'),
  newHandle: z.string().optional(),
});
/** Checked by the hub itself, together with the switches it has. */
const changesSchema = z.record(z.string(), z.unknown());

/** `POST /namespaces/{ns}/{action}`, or the method named */
const namespaceActions: Readonly<Record<string, NamespaceAction>> = {
  down: async (lab, name) => lab.namespace(name).down(),
  up: async (lab, name) => lab.namespace(name).up(),
  'rotate-keys': (lab, name) => {
    lab.namespace(name).rotateKeys();
    return { connectionString: lab.namespace(name).connectionString() };
  },
  latency: (lab, name, body) => lab.namespace(name).setLatency(latencySchema.parse(body).latencyMs),
  faults: (lab, name, body) => {
    lab.namespace(name).setFaults(faultRulesSchema.parse(body));
    return lab.namespace(name).faults();
  },
  'GET faults': (lab, name) => lab.namespace(name).faults(),
  'DELETE faults': (lab, name) => lab.namespace(name).setFaults([]),
};

/** `POST /namespaces/{ns}/hubs/{hub}/{action}` */
const hubActions: Readonly<Record<string, HubAction>> = {
  seed: (hub, body) => hub.seed(seedOptionsSchema.parse(body)),
  churn: (hub, body) => hub.churn(churnOptionsSchema.parse(body)),
  'go-live': (hub, body, lab) => {
    const { from, ...options } = goLiveSchema.parse(body);
    const [namespace = '', name = ''] = from.split('/');
    return hub.goLive(lab.hub(namespace, name), options);
  },
  broadcast: (hub, body) => hub.broadcast(broadcastSchema.parse(body)),
  push: (hub, body) => hub.pushToTags(pushSchema.parse(body).tags),
  'mark-dead': (hub, body) => {
    const { handles, ...refusal } = markDeadSchema.parse(body);
    hub.markDead(handles, refusal);
  },
  settle: (hub) => hub.settle(),
  purge: (hub) => ({ purged: hub.purgeExpired() }),
  'release-jobs': (hub) => ({ released: hub.releaseJobs() }),
  'clear-inboxes': (hub) => hub.clearInboxes(),
  'clear-request-counts': (hub) => hub.clearRequestCounts(),
  switches: (hub, body) => hub.switches(changesSchema.parse(body)),
};

/** `POST /arm/{action}` */
const armActions: Readonly<Record<string, (arm: ResourceManager, body: unknown) => unknown>> = {
  faults: (arm, body) => arm.setFaults(armFaultsSchema.parse(body)),
  roles: (arm, body) => {
    arm.roles = armRolesSchema.parse(body);
    return arm.roles;
  },
};

/** `GET /namespaces/{ns}/hubs/{hub}/{view}`; these answer one JSON object a line. */
const hubLines: Readonly<Record<string, (hub: EmulatedHub) => Iterable<unknown>>> = {
  rows: (hub) => hub.registrations(),
  installations: (hub) => hub.installations(),
  inboxes: (hub) => hub.inboxCounts(),
};

class AdminError extends Error {
  override readonly name = 'AdminError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The lab over HTTP, for an emulator in a process of its own. Loopback only, no keys. */
export class AdminServer {
  readonly #lab: Lab;
  readonly #server = createServer((request, response) => {
    this.#serve(request, response).catch((error: unknown) => sendError(response, error));
  });

  constructor(lab: Lab) {
    this.#lab = lab;
    // A tool on a busy machine sends the next call late.
    this.#server.keepAliveTimeout = 120_000;
  }

  /** Gives the URL. */
  async listen(port: number): Promise<string> {
    return `http://127.0.0.1:${await listen(this.#server, port)}`;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const [root, namespace, hubs, hub, action, ...rest] = url.pathname.slice(1).split('/').map(decodeURIComponent);
    const body = parseJson(await readBody(request));
    if (root === '' && request.method === 'GET') return sendJson(response, overview(this.#lab));
    if (root === 'arm' && request.method === 'POST' && hubs === undefined) {
      const run = armActions[namespace ?? ''];
      if (run === undefined) throw notFound();
      return sendJson(response, (await run(this.#lab.arm, body)) ?? {});
    }
    if (root !== 'namespaces' || namespace === undefined || rest.length > 0) throw notFound();
    if (hub === undefined || action === undefined || hubs !== 'hubs') {
      const name = request.method === 'POST' ? hubs : `${request.method} ${hubs}`;
      const run = hub === undefined ? namespaceActions[name ?? ''] : undefined;
      if (run === undefined) throw notFound();
      return sendJson(response, (await run(this.#lab, namespace, body)) ?? {});
    }
    const found = this.#lab.hub(namespace, hub);
    if (request.method === 'POST') {
      const run = hubActions[action];
      if (run === undefined) throw notFound();
      return sendJson(response, (await run(found, body, this.#lab)) ?? {});
    }
    if (action === 'stats') return sendJson(response, found.stats());
    if (action === 'inbox') return sendJson(response, found.inbox(url.searchParams.get('handle') ?? ''));
    const lines = hubLines[action];
    if (lines === undefined) throw notFound();
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
    await pipeline(Readable.from(inChunks(lines(found))), response);
  }
}

function overview({ namespaces }: Lab): unknown {
  return {
    namespaces: namespaces.map((namespace) => ({
      name: namespace.name,
      url: namespace.url,
      hubs: namespace.hubs.map(({ name }) => name),
    })),
    namespaceActions: Object.keys(namespaceActions),
    hubActions: Object.keys(hubActions),
    armActions: Object.keys(armActions),
    hubViews: ['stats', 'inbox?handle=', ...Object.keys(hubLines)],
  };
}

/** A write per line would cost more than the lines. */
function* inChunks(lines: Iterable<unknown>): Iterable<string> {
  let chunk: string[] = [];
  for (const line of lines) {
    if (chunk.push(`${JSON.stringify(line)}\n`) < 200) continue;
    yield chunk.join('');
    chunk = [];
  }
  if (chunk.length > 0) yield chunk.join('');
}

function parseJson(body: string | undefined): unknown {
  if (body === undefined) throw new AdminError(413, 'The body is too large.');
  if (body.trim() === '') return {};
  try {
    return JSON.parse(body);
  } catch {
    throw new AdminError(400, 'The body is not JSON.');
  }
}

function sendJson(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}

function sendError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const [status, message] = describe(error);
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(`${JSON.stringify({ error: { message } })}\n`);
}

function describe(error: unknown): [status: number, message: string] {
  if (error instanceof AdminError) return [error.status, error.message];
  if (error instanceof z.ZodError) return [400, z.prettifyError(error)];
  if (error instanceof RangeError) return [404, error.message];
  if (error instanceof URIError) return [400, 'The path cannot be decoded.'];
  return [500, error instanceof Error ? error.message : String(error)];
}

function notFound(): AdminError {
  return new AdminError(404, 'No such action; GET / lists them.');
}
