import { createHmac } from 'node:crypto';

/** An `Authorization` header made from a connection string, as a client other than the SDK would. */
export function sasHeader(
  connectionString: string,
  { resource, expiresInSeconds = 600 }: { resource?: string; expiresInSeconds?: number } = {},
): string {
  const [, endpoint = '', name = '', key = ''] =
    /^Endpoint=(.*);SharedAccessKeyName=(.*);SharedAccessKey=(.*)$/.exec(connectionString) ?? [];
  const signed = encodeURIComponent((resource ?? endpoint).toLowerCase());
  const expiry = Math.floor(Date.now() / 1000) + expiresInSeconds;
  const signature = createHmac('sha256', key).update(`${signed}\n${expiry}`).digest('base64');
  return `SharedAccessSignature sr=${signed}&sig=${encodeURIComponent(signature)}&se=${expiry}&skn=${name}`;
}
