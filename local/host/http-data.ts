import type { IncomingMessage, ServerResponse } from 'node:http';
import type { InvocationResponse, Nullable, RequestHttpData, ResponseCookie } from './core-types.ts';

/** ASP.NET's limit in the real host (`ScriptConstants.DefaultMaxRequestBodySize`). */
const maxBodyBytes = 104_857_600;

/**
 * The body as a function gets it. One without a length, sent in chunks, does not reach it; nor does the host wait for
 * its end.
 */
export async function readFunctionBody(request: IncomingMessage): Promise<Buffer | undefined> {
  if (request.headers['content-length'] !== undefined) return readBody(request);
  request.resume();
  return Buffer.alloc(0);
}

/** The body, read to its end; `undefined` when it is larger than the host takes. */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    sizeBytes += bytes.length;
    if (sizeBytes <= maxBodyBytes) chunks.push(bytes);
  }
  return sizeBytes <= maxBodyBytes ? Buffer.concat(chunks) : undefined;
}

export function toRequestData(
  request: IncomingMessage,
  url: URL,
  params: Readonly<Record<string, string>>,
  body: Buffer,
): RequestHttpData {
  const headers = Object.entries(request.headersDistinct).map(([name, values]) => [name, (values ?? []).join(', ')]);
  const query = [...new Set(url.searchParams.keys())].map((name) => [name, url.searchParams.getAll(name).join(',')]);
  return {
    method: request.method ?? 'GET',
    url: url.href,
    nullableHeaders: nullable(headers),
    nullableQuery: nullable(query),
    nullableParams: nullable(Object.entries(params)),
    ...(body.length === 0 ? {} : { body: { bytes: body } }),
  };
}

/** Writes what a function returned; nothing returned is 204, and a header that the real host cannot send 500. */
export function writeResponse(response: ServerResponse, { returnValue }: InvocationResponse): void {
  const http = returnValue?.http;
  if (http === undefined || http === null || !('statusCode' in http)) {
    response.writeHead(204).end();
    return;
  }
  const headers = Object.entries(http.headers ?? {});
  const bytes = http.body?.bytes ?? undefined;
  if (!headers.every((header) => canBeSent(header, bytes?.length ?? 0))) {
    response.writeHead(500, { 'content-length': 0 }).end();
    return;
  }
  response.statusCode = Number(http.statusCode ?? 200);
  for (const [name, value] of headers) {
    if (!hopByHop.has(name.toLowerCase())) response.setHeader(name, value);
  }
  for (const cookie of http.cookies ?? []) response.appendHeader('set-cookie', serializeCookie(cookie));
  response.end(bytes);
}

function canBeSent([name, value]: readonly [string, string], bodyBytes: number): boolean {
  return isAscii(value) && (name.toLowerCase() !== 'content-length' || Number(value) === bodyBytes);
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}

// The server frames the body itself.
const hopByHop = new Set(['connection', 'content-length', 'keep-alive', 'transfer-encoding']);

function nullable(entries: ReadonlyArray<readonly string[]>): Record<string, Nullable<string>> {
  return Object.fromEntries(entries.map(([name = '', value = '']) => [name, { value }]));
}

function serializeCookie(cookie: ResponseCookie): string {
  const { domain, path, expires, secure, httpOnly, sameSite, maxAge } = cookie;
  const parts = [
    `${encodeURIComponent(cookie.name)}=${encodeURIComponent(cookie.value)}`,
    expires ? `expires=${new Date(expires.value.seconds * 1000).toUTCString()}` : '',
    maxAge ? `max-age=${Math.trunc(maxAge.value)}` : '',
    domain ? `domain=${domain.value}` : '',
    `path=${path?.value ?? '/'}`,
    secure?.value ? 'secure' : '',
    sameSite === undefined || sameSite === 'none' ? '' : `samesite=${sameSite === 'explicitNone' ? 'none' : sameSite}`,
    httpOnly?.value ? 'httponly' : '',
  ];
  return parts.filter((part) => part !== '').join('; ');
}
