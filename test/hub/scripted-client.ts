import type { Clock, Hub } from '../../src/core/ports.ts';
import { type HubConnection, parseHubConnection } from '../../src/hub/access/connection-string.ts';
import { createHub } from '../../src/hub/client.ts';
import { Limiter } from '../../src/hub/pace/limiter.ts';
import { createKeys } from '../../src/hub/transport/keys.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { type ScriptedAnswer, type SeenRequest, startScriptedServer } from './scripted-server.ts';

export const ATOM = 'http://www.w3.org/2005/Atom';
export const row = `<AppleRegistrationDescription xmlns="http://schemas.microsoft.com/netservices/2010/10/servicebus/connect"><RegistrationId>1</RegistrationId><Tags>中😀</Tags><DeviceToken>A</DeviceToken></AppleRegistrationDescription>`;
export const page = `<feed xmlns="${ATOM}"><title>Registrations</title><entry><content>${row}</content></entry></feed>`;

interface Setup {
  readonly patienceMs?: number;
  readonly requestTimeoutMs?: number;
  readonly refreshConnection?: () => Promise<HubConnection>;
}

interface Scene {
  readonly hub: Hub;
  readonly clock: Clock;
  readonly call: { readonly deadlineAt: number };
  readonly requests: readonly SeenRequest[];
}

/** A client against a server that follows the script; waits take no time. */
export async function on<T>(
  script: readonly ScriptedAnswer[],
  act: (scene: Scene) => Promise<T>,
  setup: Setup = {},
): Promise<T> {
  await using server = await startScriptedServer(...script);
  const clock = createFakeClock({ isAutomatic: true });
  const { patienceMs = 60_000, refreshConnection, ...rest } = setup;
  const limiter = new Limiter({ maxConcurrency: 8, clock });
  const connection = connectionTo(server.url);
  const keys = refreshConnection && createKeys(async () => [await refreshConnection()], connection);
  const hub = createHub({ connection, keys, clock, limiter, random: () => 0.5, ...rest });
  try {
    return await act({ hub, clock, call: { deadlineAt: clock.now() + patienceMs }, requests: server.requests });
  } finally {
    await hub.close();
  }
}

export function connectionTo(url: string, key = 'k1'): HubConnection {
  return parseHubConnection(`Endpoint=${url}/;SharedAccessKeyName=Full;SharedAccessKey=${key}`, 'My Hub', 'X');
}
