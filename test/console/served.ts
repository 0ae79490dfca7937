import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { vi } from 'vitest';
import { collectRegistrations } from '../../local/host/core-module.ts';
import { readDefinitions } from '../../local/host/function-definition.ts';
import { createHttpServer } from '../../local/host/http-server.ts';
import { createInvoker } from '../../local/host/invocation.ts';
import { createLog } from '../../local/host/log.ts';
import type { App } from '../../src/app/app.ts';

/** The app's own HTTP functions on 127.0.0.1, answering for an app in this process that is put in their place. */
export interface Served extends AsyncDisposable {
  readonly url: string;
  readonly key: string;
  /** From now on this app answers. */
  use(app: App): void;
  /** As when the app is gone: nothing listens any more. */
  die(): Promise<void>;
}

const functionsFolder = new URL('../../functions/', import.meta.url);

/** One to a process, as the library keeps one programming model. */
export async function serveFunctions(): Promise<Served> {
  let current: App | undefined;
  const appFor = (): App => {
    if (current === undefined) throw new Error('No app is in use yet.');
    return current;
  };
  vi.doMock('../../src/compose.ts', async (original) => ({ ...(await original<object>()), appFor }));
  const registrations = await collectRegistrations(
    () => {},
    async () => {
      for (const file of await readdir(functionsFolder)) await import(new URL(file, functionsFolder).href);
    },
  );
  const { model, hooks } = registrations;
  if (model === undefined) throw new Error('The functions registered nothing.');
  const functions = readDefinitions(registrations, process.env).filter(({ trigger }) => trigger.kind === 'http');
  const log = createLog((line) => process.stderr.write(`${line}\n`), {}, true);
  const invoker = createInvoker({
    app: { name: 'console', functions, hooks, model },
    log,
    timeoutMs: undefined,
    sendOutputs: async () => {},
    record: () => {},
    onTimeout: () => {},
  });
  const keys = { master: 'the-master-key', default: 'the-key-of-this-test' };
  const server = createHttpServer({
    ...{ functions, routePrefix: 'api', keys, invoker, log, hostId: 'console' },
    timeoutMs: 60_000,
    fire: () => false,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server is bound to no port.');
  const die = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
  };
  return {
    url: `http://127.0.0.1:${address.port}`,
    key: keys.default,
    use: (app) => {
      current = app;
    },
    die,
    [Symbol.asyncDispose]: die,
  };
}
