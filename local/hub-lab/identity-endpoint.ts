import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { refuse } from './arm-routes.ts';

interface Issued {
  readonly resource: string;
  readonly expiresAtMs: number;
}

/**
 * Tokens of a managed identity, as App Service gives them: `GET ?resource=…&client_id=…` with a secret header. They
 * have the form of real ones, and are signed by no one.
 */
export class IdentityEndpoint {
  readonly secret = randomBytes(16).toString('hex');
  /** How long the next tokens last. */
  lifeSeconds = 3600;
  /** Of the last question; absent for the system-assigned identity. */
  lastClientId: string | undefined;
  readonly #issued = new Map<string, Issued>();

  answer(url: URL, headers: IncomingHttpHeaders): { readonly status: number; readonly body: unknown } {
    const resource = url.searchParams.get('resource');
    if (headers['x-identity-header'] !== this.secret) return refuse(401, 'Unauthorized');
    if (resource === null || url.searchParams.get('api-version') !== '2019-08-01') return refuse(400, 'BadRequest');
    this.lastClientId = url.searchParams.get('client_id') ?? undefined;
    const expiresAt = Math.floor(Date.now() / 1000) + this.lifeSeconds;
    const token = makeToken(resource, expiresAt);
    this.#issued.set(token, { resource, expiresAtMs: expiresAt * 1000 });
    const body = { access_token: token, expires_on: String(expiresAt), resource, token_type: 'Bearer' };
    return { status: 200, body: { ...body, client_id: this.lastClientId } };
  }

  check(token: string, resource: string): 'valid' | 'expired' | 'unknown' {
    const issued = this.#issued.get(token);
    if (issued === undefined || issued.resource.replace(/\/+$/, '') !== resource) return 'unknown';
    return issued.expiresAtMs > Date.now() ? 'valid' : 'expired';
  }

  /** All tokens given out so far are worthless, whatever they say of themselves. */
  revoke(): void {
    this.#issued.clear();
  }
}

function makeToken(audience: string, expiresAt: number): string {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const claims = {
    aud: audience,
    iss: 'https://sts.windows.net/00000000-0000-4000-8000-000000000000/',
    // Whose key it is, where a storage account gives one to sign addresses with.
    oid: '00000000-0000-4000-8000-000000000001',
    tid: '00000000-0000-4000-8000-000000000000',
    iat: nowSeconds,
    nbf: nowSeconds - 60,
    exp: expiresAt,
    jti: randomBytes(8).toString('hex'),
  };
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  return `${encode({ typ: 'JWT', alg: 'none' })}.${encode(claims)}.${randomBytes(8).toString('base64url')}`;
}
