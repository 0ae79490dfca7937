import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { compileCache } from './compile-cache.ts';

/** The hub emulator in a process of its own, driven through its admin endpoint. */
export interface EmulatorProcess extends AsyncDisposable {
  readonly adminUrl: string;
  readonly pid: number;
  readonly namespaces: Readonly<Record<string, { readonly url: string; readonly connectionString: string }>>;
  /** Calls the admin endpoint and gives its JSON answer. Throws with the answer's text when it is refused. */
  admin(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown>;
  /** The lines of an NDJSON answer, each parsed. */
  adminLines(path: string): AsyncIterable<unknown>;
  close(): Promise<void>;
}

export interface EmulatorProcessOptions {
  readonly devices: number;
  readonly seed: number;
  readonly port?: number;
  readonly adminPort?: number;
  /** Another copy of the emulator's program, such as a bundle. */
  readonly program?: string;
}

const readySchema = z.object({
  ready: z.literal(true),
  adminUrl: z.string(),
  namespaces: z.record(z.string(), z.object({ url: z.string(), connectionString: z.string() })),
});

const ownProgram = fileURLToPath(new URL('./hub-lab/main.ts', import.meta.url));

/** Starts the emulator with namespaces `primary` (seeded) and `secondary` (empty), hub `devices` in each. */
export async function startEmulatorProcess(options: EmulatorProcessOptions): Promise<EmulatorProcess> {
  const args = [
    `--devices=${options.devices}`,
    `--seed=${options.seed}`,
    `--port=${options.port ?? 0}`,
    `--admin-port=${options.adminPort ?? 0}`,
  ];
  const child = fork(options.program ?? ownProgram, args, {
    execArgv: ['--max-old-space-size=8192'],
    env: { ...process.env, ...compileCache },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const closed = once(child, 'close');
  const { adminUrl, namespaces } = await ready(child, closed);
  const call = async (method: string, path: string, body?: unknown): Promise<Response> => {
    const response = await fetch(`${adminUrl}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(method === 'POST' ? { body: JSON.stringify(body ?? {}) } : {}),
    });
    if (!response.ok)
      throw new Error(`The emulator refused ${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  const close = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await closed;
  };
  return {
    adminUrl,
    pid: child.pid ?? 0,
    namespaces,
    admin: async (method, path, body) => parseAnswer(await (await call(method, path, body)).text()),
    async *adminLines(path) {
      yield* parseLines(await call('GET', path));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function ready(child: ChildProcess, closed: Promise<unknown>): Promise<z.infer<typeof readySchema>> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-10_000);
    });
  }
  const message = await Promise.race([once(child, 'message'), closed.then(() => undefined)]);
  if (message === undefined) throw new Error(`The hub emulator did not start:\n${output}`);
  return readySchema.parse(message[0]);
}

function parseAnswer(text: string): unknown {
  return text === '' ? undefined : JSON.parse(text);
}

async function* parseLines(response: Response): AsyncIterable<unknown> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of response.body ?? []) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield JSON.parse(line);
  }
  if (rest !== '') yield JSON.parse(rest);
}
