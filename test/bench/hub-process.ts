import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const seededSchema = z.object({ url: z.string(), rowCount: z.number(), writeCount: z.number() });
const hubStatsSchema = z.object({
  rowCount: z.number(),
  listCount: z.number(),
  putCount: z.number(),
  lateCount: z.number(),
});
const statsSchema = z.object({ primary: hubStatsSchema, secondary: hubStatsSchema });

/** The bench's hubs as a process of their own. */
export interface HubProcess extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  /** Registrations in `primary`. */
  readonly rowCount: number;
  /** PUTs that restore them into an empty hub; 0 when none were asked for. */
  readonly writeCount: number;
  setLatency(latencyMs: number): Promise<void>;
  /** Empties `secondary`, and its counts. */
  clear(): Promise<void>;
  stats(): Promise<z.infer<typeof statsSchema>>;
}

/** Starts it and waits until `primary` is full; `writesFile` gets the PUTs of a restore, if there is one. */
export async function startHubs(devices: number, writesFile?: string): Promise<HubProcess> {
  const child = fork(
    fileURLToPath(new URL('./hub-server.ts', import.meta.url)),
    [`--devices=${devices}`, ...(writesFile === undefined ? [] : [`--writes=${writesFile}`])],
    { execArgv: ['--max-old-space-size=8192'] },
  );
  const { url, rowCount, writeCount } = seededSchema.parse(await reply(child));
  const ask = async (command: object): Promise<unknown> => {
    const answer = reply(child);
    child.send(command);
    return answer;
  };
  return {
    url,
    pid: child.pid ?? 0,
    rowCount,
    writeCount,
    setLatency: async (latencyMs) => void (await ask({ kind: 'latency', latencyMs })),
    clear: async () => void (await ask({ kind: 'clear' })),
    stats: async () => statsSchema.parse(await ask({ kind: 'stats' })),
    [Symbol.asyncDispose]: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** The next message of a child. Rejects when it ends before. */
export async function reply(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController();
  const onExit = (code: number | null) => ended.abort(new Error(`A process of the bench ended with code ${code}.`));
  child.once('exit', onExit);
  try {
    const [message]: unknown[] = await once(child, 'message', { signal: ended.signal });
    return message;
  } catch (error) {
    throw ended.signal.aborted ? ended.signal.reason : error;
  } finally {
    child.off('exit', onExit);
  }
}
