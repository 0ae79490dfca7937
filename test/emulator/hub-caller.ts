import type { EmulatedNamespace } from '../../local/hub-lab/index.ts';
import { sasHeader } from './sas-header.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Calls an emulated namespace over HTTP; the path begins with the hub. */
export type Call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;

export function caller(namespace: EmulatedNamespace, rule?: string): Call {
  const authorization = sasHeader(namespace.connectionString(rule));
  return async (method, path, body, headers = {}) => {
    const response = await fetch(`${namespace.url}/${path}`, {
      method,
      headers: { authorization, ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
}

/** An Atom entry around a registration's description. */
export function entry(description: string): string {
  return `<?xml version="1.0" encoding="utf-8"?><entry xmlns="http://www.w3.org/2005/Atom"><content type="application/xml">${description}</content></entry>`;
}

/** A native Apple registration. */
export function anApple({ token = 'aa', tags = '' }: { token?: string; tags?: string } = {}): string {
  const tagElement = tags === '' ? '' : `<Tags>${tags}</Tags>`;
  return entry(describe('AppleRegistrationDescription', `${tagElement}<DeviceToken>${token}</DeviceToken>`));
}

export function describe(name: string, content: string): string {
  return `<${name} xmlns="http://schemas.microsoft.com/netservices/2010/10/servicebus/connect" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">${content}</${name}>`;
}

/** The text of the first element of that name. */
export function textOf(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
}

/** The ids of a listing, in its order. */
export function idsIn(feed: string): string[] {
  return [...feed.matchAll(/<RegistrationId>([^<]*)</g)].map(([, id]) => id ?? '');
}

/** Lists page by page with the token as the header gave it; `between` runs after each page. */
export async function listAll(call: Call, path: string, between: () => unknown = () => undefined): Promise<string[]> {
  const ids: string[] = [];
  let token: string | null = null;
  do {
    const glue: string = path.includes('?') ? '&' : '?';
    const page: Answer = await call('GET', token === null ? path : `${path}${glue}continuationtoken=${token}`);
    if (page.status !== 200) throw new Error(`listing answered ${page.status}: ${page.text}`);
    ids.push(...idsIn(page.text));
    token = page.headers.get('x-ms-continuationtoken');
    await between();
  } while (token !== null);
  return ids;
}
