import { request } from 'undici';
import { faultCode } from '../core/errors.ts';
import type { AlertMessage, Notifier, NotTaken } from '../core/ports.ts';

export interface HttpNotifierOptions {
  readonly heartbeatUrl: string | undefined;
  readonly alertWebhookUrl: string | undefined;
  readonly timeoutMs?: number;
}

/** The receiver has this long; a run waits for it at its end. */
const TIMEOUT_MS = 5_000;
const TRIES = 2;

/**
 * Calls the two addresses of the settings. They may hold keys, so nothing that comes back names them, and a redirection
 * is a refusal: the receiver must not send the message elsewhere.
 */
export function createHttpNotifier(options: HttpNotifierOptions): Notifier {
  const { heartbeatUrl, alertWebhookUrl, timeoutMs = TIMEOUT_MS } = options;
  return {
    hasHeartbeat: heartbeatUrl !== undefined,
    hasWebhook: alertWebhookUrl !== undefined,
    heartbeat: async () => (heartbeatUrl === undefined ? undefined : call(heartbeatUrl, timeoutMs, undefined)),
    alert: async (message) =>
      alertWebhookUrl === undefined ? undefined : call(alertWebhookUrl, timeoutMs, toJson(message)),
  };
}

/** `text` is what the incoming webhooks of Slack and Teams show. */
function toJson(message: AlertMessage): string {
  const { state, severity, code, hub } = message;
  const text = `${state === 'open' ? severity.toUpperCase() : 'RESOLVED'} ${code} (${hub}): ${message.message}`;
  return JSON.stringify({ text, ...message });
}

async function call(url: string, timeoutMs: number, json: string | undefined): Promise<NotTaken | undefined> {
  let seen: NotTaken | undefined;
  for (let tries = 0; tries < TRIES; tries += 1) {
    seen = await callOnce(url, timeoutMs, json);
    if (seen === undefined) return undefined;
  }
  return seen;
}

async function callOnce(url: string, timeoutMs: number, json: string | undefined): Promise<NotTaken | undefined> {
  try {
    const { statusCode, body } = await request(url, {
      method: json === undefined ? 'GET' : 'POST',
      headers: {
        'user-agent': 'notification-hubs-dr',
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: json ?? null,
      signal: AbortSignal.timeout(timeoutMs),
    });
    await body.dump();
    return statusCode >= 200 && statusCode < 300 ? undefined : `status ${statusCode}`;
  } catch (error) {
    return faultCode(error);
  }
}
