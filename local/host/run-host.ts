import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FunctionDefinition } from './function-definition.ts';
import { type HostJson, readHostJson } from './host-json.ts';
import { createHttpServer } from './http-server.ts';
import { createInvoker, type Invoker } from './invocation.ts';
import { type HostKeys, randomKey } from './keys.ts';
import { type LoadedApp, loadApp } from './load-app.ts';
import { captureConsole, createLog, type HostLog, type LogSink } from './log.ts';
import { fireByHand, openTriggers } from './open-triggers.ts';
import type { Listener } from './queue-listener.ts';
import { openQueueOutputs } from './queue-output.ts';
import { applySettings } from './settings.ts';
import { realTimerLock } from './timer-listener.ts';

export interface HostOptions {
  /** Folder of the built app: `package.json`, `host.json`, perhaps `local.settings.json`. */
  readonly appDir: string;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  readonly address?: string;
  /** Stronger than the process environment and any file; set into `process.env`, where the app reads them. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly settingsFile?: string;
  /** Random when absent. */
  readonly keys?: HostKeys;
  /** How long a queue message of a host that died stays hidden. 600, as in Azure, where it cannot be set. */
  readonly queueLeaseSeconds?: number;
  /** `lockSeconds` of {@link TimerLock}. */
  readonly timerLockSeconds?: number;
  /** `pollSeconds` of {@link TimerLock}. */
  readonly timerPollSeconds?: number;
  /** How long `close` waits for running invocations until it calls the app's terminate hooks. 10. */
  readonly graceSeconds?: number;
  readonly httpTimeoutSeconds?: number;
  /** Takes the host's and the app's lines; standard output when absent. */
  readonly log?: LogSink;
  readonly isQuiet?: boolean;
  /** File to which each finished invocation is appended as one JSON line (`InvocationRecord`). */
  readonly invocationLog?: string;
  /** Sends the whole process's `console` through `log`. For a process that is nothing but the host. */
  readonly takesConsole?: boolean;
  /** Called when a function overran `functionTimeout`: the code still runs, so the process should end. */
  readonly onFunctionTimeout?: (error: Error) => void;
  /** Closes the host when aborted. */
  readonly signal?: AbortSignal;
}

export interface RunningHost {
  /** Base URL without a trailing slash. */
  readonly url: string;
  readonly keys: HostKeys;
  readonly functions: readonly FunctionSummary[];
  /** As SIGTERM stops the real host, and when nothing runs at once. May be called twice. */
  close(): Promise<void>;
}

interface FunctionSummary {
  readonly name: string;
  readonly kind: 'http' | 'timer' | 'queue';
  /** Methods and URL, schedule or queue name. */
  readonly trigger: string;
  readonly isDisabled: boolean;
}

/**
 * Runs a built function app in this process until `close`. Rejects, with nothing left running, when settings, host.json
 * or the app are at fault. Only one app at a time in a process: `process.env` and the library's runtime are shared.
 */
export async function runHost(options: HostOptions): Promise<RunningHost> {
  const { env } = process;
  const appDir = resolve(options.appDir);
  await applySettings(env, appDir, options.settingsFile, options.settings);
  const hostJson = await readHostJson(appDir, env);
  const log = createLog(options.log ?? writeLine, hostJson.logLevels, options.isQuiet);
  if (options.takesConsole === true) captureConsole(() => log);

  const app = await loadApp(appDir, env, log);
  const hostId = readHostId(app, env);
  const invoker = await openInvoker(app, hostJson, options, log);
  const abandoned = new AbortController();
  const triggers = await openTriggers(app.functions, {
    hostId,
    invoker,
    log,
    queues: hostJson.queues,
    queueLeaseSeconds: options.queueLeaseSeconds ?? 600,
    timerLock: {
      lockSeconds: options.timerLockSeconds ?? realTimerLock.lockSeconds,
      pollSeconds: options.timerPollSeconds ?? realTimerLock.pollSeconds,
    },
    abandoned: abandoned.signal,
  });
  await invoker.runHooks('appStart', { functionAppDirectory: appDir });

  const keys = options.keys ?? { master: randomKey(), default: randomKey() };
  const server = createHttpServer({
    functions: app.functions,
    routePrefix: hostJson.routePrefix,
    keys,
    invoker,
    log,
    hostId,
    timeoutMs: (options.httpTimeoutSeconds ?? 230) * 1000,
    fire: (name, input) => fireByHand(triggers, name, input, log),
  });
  const url = await listen(server, options.port ?? 0, options.address ?? '127.0.0.1');
  const functions = listFunctions(app, url, hostJson, log);
  const listeners = triggers.filter(({ definition }) => !definition.isDisabled).map((trigger) => trigger.start());

  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= shutDown(server, listeners, invoker, log, (options.graceSeconds ?? 10) * 1000, abandoned);
    return closing;
  };
  options.signal?.addEventListener('abort', () => void close(), { once: true });
  if (options.signal?.aborted === true) await close();
  return { url, keys, functions, close };
}

function writeLine(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Hosts of one id are one app: they share its timers. */
function readHostId(app: LoadedApp, env: NodeJS.ProcessEnv): string {
  return (env['AzureFunctionsWebHost__hostid'] ?? app.name).toLowerCase().replaceAll(/[^a-z\d]+/g, '-');
}

async function openInvoker(app: LoadedApp, hostJson: HostJson, options: HostOptions, log: HostLog): Promise<Invoker> {
  const { invocationLog } = options;
  return createInvoker({
    app,
    log,
    timeoutMs: hostJson.functionTimeoutMs,
    sendOutputs: await openQueueOutputs(app.functions, hostJson.queues, process.env),
    // Synchronous, so that the line is there even if the process is killed next.
    record: (record) => {
      if (invocationLog !== undefined) appendFileSync(invocationLog, `${JSON.stringify(record)}\n`);
    },
    onTimeout: options.onFunctionTimeout ?? (() => {}),
  });
}

async function listen(server: Server, port: number, address: string): Promise<string> {
  server.listen(port, address);
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('The HTTP server is bound to no port.');
  return `http://${address.includes(':') ? `[${address}]` : address}:${bound.port}`;
}

function listFunctions(app: LoadedApp, url: string, hostJson: HostJson, log: HostLog): FunctionSummary[] {
  const functions = app.functions.map((definition) => summarize(definition, url, hostJson));
  for (const { name, kind, trigger, isDisabled } of functions) {
    log.host('information', `Function ${name}: [${kind}] ${trigger}${isDisabled ? ' (disabled)' : ''}`);
  }
  return functions;
}

function summarize(
  { name, trigger, isDisabled }: FunctionDefinition,
  url: string,
  hostJson: HostJson,
): FunctionSummary {
  switch (trigger.kind) {
    case 'http': {
      const path = [hostJson.routePrefix, trigger.route].filter((part) => part !== '').join('/');
      const methods = trigger.methods.length === 0 ? 'any method' : trigger.methods.join(',');
      return { name, kind: 'http', trigger: `${methods} ${url}/${path}`, isDisabled };
    }
    case 'timer':
      return { name, kind: 'timer', trigger: trigger.schedule, isDisabled };
    case 'queue':
      return { name, kind: 'queue', trigger: trigger.queueName, isDisabled };
    default:
      return trigger satisfies never;
  }
}

/** What the real host gives the terminate hooks (`WorkerTerminateGracePeriodInSeconds`). */
const HOOKS_MS = 5000;

/**
 * As the real host ends. What runs at the signal may end, and meanwhile messages and timers are taken as ever. Then
 * nothing is taken any more. When nothing runs, or the grace time is over, the terminate hooks are called; with their
 * end the process does, whatever still runs.
 */
async function shutDown(
  server: Server,
  listeners: readonly Listener[],
  invoker: Invoker,
  log: HostLog,
  graceMs: number,
  abandoned: AbortController,
): Promise<void> {
  log.host('information', `Stopping; still running: ${invoker.running().join(', ') || 'nothing'}.`);
  const closed = new Promise((done) => server.close(done));
  server.closeIdleConnections();
  const grace = sleep(graceMs, undefined, { ref: false });
  await Promise.race([invoker.drained(), grace]);
  const finished = Promise.all([...listeners.map((listener) => listener.stop()), invoker.idle()]);
  await Promise.race([finished, grace]);
  const hooks = invoker
    .runHooks('appTerminate', {})
    .catch((error) => log.host('error', `An appTerminate hook failed: ${error}`));
  await Promise.race([hooks, sleep(HOOKS_MS, undefined, { ref: false })]);
  const cut = invoker.running();
  if (cut.length > 0) log.host('warning', `Still running at the end, cut: ${cut.join(', ')}.`);
  abandoned.abort();
  server.closeAllConnections();
  await closed;
}
