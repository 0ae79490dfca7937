import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { compileCache } from '../compile-cache.ts';
import type { HostKeys } from './keys.ts';

export interface SpawnHostOptions {
  readonly appDir: string;
  /** A free one when absent. */
  readonly port?: number;
  /** Set in the child's environment, over what it inherits. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly settingsFile?: string;
  readonly keys?: HostKeys;
  readonly queueLeaseSeconds?: number;
  readonly timerLockSeconds?: number;
  readonly timerPollSeconds?: number;
  readonly graceSeconds?: number;
  readonly httpTimeoutSeconds?: number;
  readonly invocationLog?: string;
  readonly isQuiet?: boolean;
  /** The Node that runs the host; the one of this process when absent. */
  readonly nodePath?: string;
  /** Another copy of the host's program, such as a bundle; `main.ts` when absent. */
  readonly program?: string;
  /** Takes the child's output, line ends included, as it comes. */
  readonly onOutput?: (text: string) => void;
}

export interface SpawnedHost extends AsyncDisposable {
  /** Base URL without a trailing slash. */
  readonly url: string;
  readonly keys: HostKeys;
  readonly pid: number;
  readonly child: ChildProcess;
  /** SIGTERM; resolves with the exit code, `null` when the process was killed. */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** What the child has written so far (the last million characters). */
  output(): string;
  /** Runs a timer or queue function by hand through the host's admin API; resolves when accepted. */
  fire(functionName: string, input?: string): Promise<void>;
}

/**
 * As on a plan's smallest instance (512 MB): Node sizes its heap by the machine's memory, and on a workstation would
 * let garbage pile up to gigabytes. The cloud's own setting is `languageWorkers__node__arguments`. V8 lets a heap as small
 * as this grow by a third until it looks for garbage again, buffers counted in: every 13 MB of them.
 */
const smallInstance = ['--max-old-space-size=224', '--max-semi-space-size=16', '--heap-growing-percent=100'];

const ownProgram = fileURLToPath(new URL('./main.ts', import.meta.url));

/** Runs the host as a child process; rejects with the end of its error output when it does not start. */
export async function spawnHost(options: SpawnHostOptions): Promise<SpawnedHost> {
  const child = fork(options.program ?? ownProgram, argumentsOf(options), {
    execArgv: smallInstance,
    ...(options.nodePath === undefined ? {} : { execPath: options.nodePath }),
    env: { ...process.env, ...compileCache, MALLOC_ARENA_MAX: '2', ...options.settings },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-1_000_000);
      options.onOutput?.(text);
    });
  }
  // 'close' rather than 'exit': the output is complete by then.
  const closed = once(child, 'close');
  const stop = () => end(child, closed, 'SIGTERM');
  const { url, keys } = await ready(child, closed, () => output);
  return {
    url,
    keys,
    pid: child.pid ?? 0,
    child,
    stop,
    kill: async () => void (await end(child, closed, 'SIGKILL')),
    output: () => output,
    fire: (functionName, input) => fire(url, keys.master, functionName, input),
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}

const readySchema = z.object({
  ready: z.literal(true),
  url: z.string(),
  keys: z.object({
    master: z.string(),
    default: z.string(),
    functions: z.record(z.string(), z.record(z.string(), z.string())).default({}),
  }),
});

function argumentsOf(options: SpawnHostOptions): string[] {
  const { keys } = options;
  const valued = {
    app: options.appDir,
    port: options.port ?? 0,
    settings: options.settingsFile,
    'master-key': keys?.master,
    'host-key': keys?.default,
    'queue-lease-seconds': options.queueLeaseSeconds,
    'timer-lock-seconds': options.timerLockSeconds,
    'timer-poll-seconds': options.timerPollSeconds,
    'grace-seconds': options.graceSeconds,
    'http-timeout-seconds': options.httpTimeoutSeconds,
    'invocation-log': options.invocationLog,
  };
  return [
    ...Object.entries(valued).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`])),
    ...Object.entries(keys?.functions ?? {}).flatMap(([name, named]) =>
      Object.entries(named).map(([keyName, key]) => `--function-key=${name}/${keyName}=${key}`),
    ),
    ...(options.isQuiet === true ? ['--quiet'] : []),
  ];
}

async function ready(
  child: ChildProcess,
  closed: Promise<unknown>,
  output: () => string,
): Promise<z.infer<typeof readySchema>> {
  const message = await Promise.race([once(child, 'message'), closed.then(() => undefined)]);
  if (message === undefined) {
    throw new Error(`The host did not start (exit code ${child.exitCode}). Its last output:\n${output().slice(-4000)}`);
  }
  return readySchema.parse(message[0]);
}

async function end(child: ChildProcess, closed: Promise<unknown>, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) child.kill(signal);
  await closed;
  return child.exitCode;
}

async function fire(url: string, masterKey: string, functionName: string, input = ''): Promise<void> {
  const response = await fetch(`${url}/admin/functions/${functionName}`, {
    method: 'POST',
    headers: { 'x-functions-key': masterKey, 'content-type': 'application/json' },
    body: JSON.stringify({ input }),
  });
  await response.body?.cancel();
  if (response.status !== 202) throw new Error(`Firing "${functionName}" was answered with ${response.status}.`);
}
