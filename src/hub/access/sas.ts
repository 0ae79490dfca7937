import { createHmac } from 'node:crypto';
import type { HubConnection } from './connection-string.ts';

const VALIDITY_SECONDS = 3 * 3600;
/** A token is replaced long before its end: the clock of a host may be an hour and more behind the hub's. */
const RENEW_AFTER_SECONDS = 1800;

/** A function that gives a token for the whole namespace, signing only when the last one is half an hour old. */
export function createSas(connection: HubConnection, nowMs: () => number): () => string {
  const resource = encodeURIComponent(connection.endpoint.href.toLowerCase());
  let token = '';
  let renewAt = 0;
  return () => {
    const nowSeconds = Math.floor(nowMs() / 1000);
    if (nowSeconds >= renewAt) {
      const expiry = nowSeconds + VALIDITY_SECONDS;
      // The key is used as UTF-8 text and not base64-decoded (service-facts 1.1).
      const signature = createHmac('sha256', connection.key).update(`${resource}\n${expiry}`).digest('base64');
      token =
        `SharedAccessSignature sr=${resource}&sig=${encodeURIComponent(signature)}` +
        `&se=${expiry}&skn=${encodeURIComponent(connection.keyName)}`;
      renewAt = nowSeconds + RENEW_AFTER_SECONDS;
    }
    return token;
  };
}
