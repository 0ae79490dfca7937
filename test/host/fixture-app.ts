import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';
import { z } from 'zod';
import type { LogSink } from '../../local/host/log.ts';
import type { RunningHost } from '../../local/host/run-host.ts';
import { type SpawnedHost, type SpawnHostOptions, spawnHost } from '../../local/host/spawn-host.ts';
import { startInProcess } from './in-process.ts';

const fixtureDir = fileURLToPath(new URL('../fixtures/host-app', import.meta.url));

const entrySchema = z.object({
  event: z.string(),
  pid: z.number(),
  id: z.string().optional(),
  at: z.number().optional(),
  dequeueCount: z.number().optional(),
  isPastDue: z.boolean().optional(),
  scheduleStatus: z.object({ last: z.string(), next: z.string(), lastUpdated: z.string() }).nullish(),
  metadata: z.record(z.string(), z.unknown()).optional(),
});
export type JournalEntry = z.infer<typeof entrySchema>;

const invocationSchema = z.object({
  function: z.string(),
  invocationId: z.string(),
  startedAt: z.iso.datetime(),
  durationMs: z.number(),
  status: z.string(),
  dequeueCount: z.number().optional(),
});
type Invocation = z.infer<typeof invocationSchema>;

export interface FixtureRun extends AsyncDisposable {
  /** A host of the fixture app; all hosts of a run write into one journal. */
  spawn(options?: Partial<SpawnHostOptions>): Promise<SpawnedHost>;
  /** The same in the process of the test, one at a time; `log` takes the host's lines. */
  start(log?: LogSink): Promise<RunningHost & AsyncDisposable>;
  journal(): Promise<JournalEntry[]>;
  /** The hosts' invocation log, also one for all. */
  invocations(): Promise<Invocation[]>;
}

/** Functions the given ones aside are switched off, so that a test sees only what it asked for. */
export async function runFixture(
  connectionString: string | undefined,
  enabled: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Promise<FixtureRun> {
  const dir = await mkdtemp(join(tmpdir(), 'host-run-'));
  const journalPath = join(dir, 'journal.jsonl');
  const invocationLog = join(dir, 'invocations.jsonl');
  const hosts: SpawnedHost[] = [];
  const listened = ['work', 'tick', 'yearly', 'startup', 'off'];
  const disabled = listened.filter((name) => !enabled.includes(name));
  const common = { appDir: fixtureDir, graceSeconds: 5, invocationLog };
  const allSettings = {
    AzureWebJobsStorage: connectionString ?? unreachable,
    FIXTURE_STORAGE: connectionString ?? unreachable,
    FIXTURE_QUEUE: 'work',
    FIXTURE_TICK: '* * * * * *',
    FIXTURE_JOURNAL: journalPath,
    ...Object.fromEntries(disabled.map((name) => [`AzureWebJobs.${name}.Disabled`, 'true'])),
    ...settings,
  };
  return {
    async spawn(options = {}) {
      const host = await spawnHost({
        ...common,
        program: inject('bundle').hostProgram,
        ...options,
        settings: { ...allSettings, ...options.settings },
      });
      hosts.push(host);
      return host;
    },
    start: (log) => startInProcess({ ...common, settings: allSettings, ...(log === undefined ? {} : { log }) }),
    journal: () => readLines(journalPath, entrySchema),
    invocations: () => readLines(invocationLog, invocationSchema),
    async [Symbol.asyncDispose]() {
      await Promise.all(hosts.map((host) => host.kill()));
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Polls until `read` gives a truthy value; throws after `timeoutMs`. */
export async function eventually<T>(read: () => Promise<T>, timeoutMs = 20_000): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeoutMs;
  while (true) {
    const value = await read();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`Not seen within ${timeoutMs} ms: ${read}`);
    await sleep(20);
  }
}

/** A port on which nothing listens: for hosts whose storage must not be touched. */
const unreachable =
  'DefaultEndpointsProtocol=http;AccountName=none;AccountKey=bm9uZQ==;' +
  'BlobEndpoint=http://127.0.0.1:9/none;QueueEndpoint=http://127.0.0.1:9/none;';

async function readLines<T>(path: string, schema: z.ZodType<T>): Promise<T[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => schema.parse(JSON.parse(line)));
}
