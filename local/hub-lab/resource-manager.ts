import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { listen } from '../emulator/namespace-server.ts';
import { type ArmAnswer, answerArm, type Role, refuse, roles } from './arm-routes.ts';
import type { EmulatedNamespace } from './emulated-namespace.ts';
import { IdentityEndpoint } from './identity-endpoint.ts';

/** What goes wrong with calls of one kind; each rule until its count is used up. */
const faultSchema = z.strictObject({
  on: z.enum(['token', ...roles]),
  /** Calls about this namespace only. */
  namespace: z.string().optional(),
  status: z.int().min(400).max(599).optional(),
  delayMs: z.int().min(0).optional(),
  /** Never answers and keeps the connection. */
  hang: z.boolean().optional(),
  /** Ends the connection without an answer. */
  reset: z.boolean().optional(),
  count: z.int().min(1).optional(),
});

export type ArmFault = z.infer<typeof faultSchema>;

export const armFaultsSchema = z.array(faultSchema);
export const armRolesSchema = z.array(z.enum(roles));

/** Where an app finds it, as the platform would set it. */
export interface ArmSettings {
  readonly ARM_ENDPOINT: string;
  readonly IDENTITY_ENDPOINT: string;
  readonly IDENTITY_HEADER: string;
}

/**
 * Azure Resource Manager, as far as it knows Notification Hubs, and the endpoint that gives an app the tokens of its
 * managed identity. Listens on the loopback; the subscription and resource group of an id are not looked at.
 */
export class ResourceManager {
  readonly #namespaces: readonly EmulatedNamespace[];
  readonly identity = new IdentityEndpoint();
  /** What the identity may do. */
  roles: readonly Role[] = ['keys', 'read'];
  /** How often each kind of call was made. */
  readonly calls = new Map<ArmFault['on'], number>();
  #faults: ArmFault[] = [];
  #url = '';
  readonly #server = createServer((request, response) => {
    this.#serve(request, response).catch(() => response.destroy());
  });

  constructor(namespaces: readonly EmulatedNamespace[]) {
    this.#namespaces = namespaces;
  }

  get settings(): ArmSettings {
    return {
      ARM_ENDPOINT: this.#url,
      IDENTITY_ENDPOINT: `${this.#url}/msi/token`,
      IDENTITY_HEADER: this.identity.secret,
    };
  }

  async listen(port: number): Promise<void> {
    this.#url = `http://127.0.0.1:${await listen(this.#server, port)}`;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  /** Puts these rules in place of the ones before. @throws ZodError for a rule that makes no sense. */
  setFaults(rules: readonly ArmFault[]): void {
    this.#faults = armFaultsSchema.parse(rules);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.#url);
    request.resume();
    const answer = url.pathname === '/msi/token' ? undefined : answerArm(this.#namespaces, request.method ?? '', url);
    const on = answer?.role ?? 'token';
    this.calls.set(on, (this.calls.get(on) ?? 0) + 1);
    const fault = this.#nextFault(on, answer?.namespace);
    if (fault?.delayMs !== undefined) await sleep(fault.delayMs, undefined, { ref: false });
    if (fault?.hang === true) return;
    if (fault?.reset === true) {
      response.destroy();
      return;
    }
    if (fault?.status !== undefined) send(response, refuse(fault.status, 'InjectedFault'));
    else if (answer === undefined) send(response, this.identity.answer(url, request.headers));
    else send(response, this.#allow(answer, request.headers.authorization));
  }

  #allow({ role, give }: ArmAnswer, authorization: string | undefined): Given {
    const token = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1];
    if (token === undefined) return refuse(401, 'AuthenticationFailed');
    const state = this.identity.check(token, this.#url);
    if (state !== 'valid') return refuse(401, state === 'expired' ? 'ExpiredAuthenticationToken' : 'InvalidToken');
    if (!this.roles.includes(role)) return refuse(403, 'AuthorizationFailed');
    return give();
  }

  #nextFault(on: ArmFault['on'], namespace: string | undefined): ArmFault | undefined {
    const at = this.#faults.findIndex(
      (rule) => rule.on === on && (rule.namespace === undefined || rule.namespace === namespace),
    );
    const fault = this.#faults[at];
    if (fault?.count === undefined) return fault;
    if (fault.count > 1) this.#faults[at] = { ...fault, count: fault.count - 1 };
    else this.#faults.splice(at, 1);
    return fault;
  }
}

type Given = ReturnType<ArmAnswer['give']>;

function send(response: ServerResponse, { status, body }: Given): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body));
}
