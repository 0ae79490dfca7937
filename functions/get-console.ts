import { app, type HttpRequest, type HttpResponseInit } from '@azure/functions';
import { readAsset } from '../src/console/assets.ts';
import { answer } from '../src/http.ts';

/**
 * `GET /api/console`: the web page. It holds no data, so it needs no key: it calls this API with the key typed into it.
 */
app.http('getConsole', {
  methods: ['GET'],
  route: 'console/{*asset}',
  authLevel: 'anonymous',
  handler: (request, context) => answer(request, context, {}, () => show(request)),
});

async function show(request: HttpRequest): Promise<HttpResponseInit> {
  const path = request.params['asset'] ?? '';
  // The page links to its files relative to its own address, which must not end in a slash.
  if (path === '' && new URL(request.url).pathname.endsWith('/'))
    return { status: 308, headers: { location: '../console' } };
  const asset = await readAsset(path);
  if (asset === undefined) return { status: 404, body: 'The console has no such file.\n', headers };
  if (request.headers.get('if-none-match') === asset.etag) return { status: 304, headers };
  return { body: asset.body, headers: { ...headers, 'content-type': asset.contentType, etag: asset.etag } };
}

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
];

const headers = {
  'content-security-policy': policy.join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  // Revalidated on each load: the page must never be older than the API it calls.
  'cache-control': 'no-cache',
};
