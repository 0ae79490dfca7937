import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { compileCache } from './compile-cache.ts';
import { type EmulatorHandle, handleOf } from './emulator-handle.ts';

export interface EmulatorProcessOptions {
  readonly devices: number;
  readonly seed: number;
  readonly port?: number;
  readonly adminPort?: number;
  readonly isTls?: boolean;
}

const readySchema = z.object({
  ready: z.literal(true),
  adminUrl: z.string(),
  arm: z.record(z.string(), z.string()),
  certificate: z.string().optional(),
  namespaces: z.record(z.string(), z.object({ url: z.string(), connectionString: z.string() })),
});

const program = fileURLToPath(new URL('./hub-lab/main.ts', import.meta.url));

/**
 * Starts the emulator in a process of its own, with namespaces `primary` (seeded) and `secondary` (empty), hub `devices`
 * in each.
 */
export async function startEmulatorProcess(options: EmulatorProcessOptions): Promise<EmulatorHandle> {
  const args = [
    `--devices=${options.devices}`,
    `--seed=${options.seed}`,
    `--port=${options.port ?? 0}`,
    `--admin-port=${options.adminPort ?? 0}`,
    ...(options.isTls === true ? ['--tls'] : []),
  ];
  const child = fork(program, args, {
    execArgv: ['--max-old-space-size=8192'],
    env: { ...process.env, ...compileCache },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const closed = once(child, 'close');
  const running = await ready(child, closed);
  const close = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await closed;
  };
  return handleOf({ ...running, close });
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
