import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parseLogLevel } from './log.ts';

export interface QueueOptions {
  readonly batchSize: number;
  readonly newBatchThreshold: number;
  readonly maxPollingIntervalMs: number;
  /** Time a message stays hidden after a failed invocation. */
  readonly failedVisibilityMs: number;
  readonly maxDequeueCount: number;
  readonly messageEncoding: 'base64' | 'none';
}

export interface HostJson {
  readonly routePrefix: string;
  /** `undefined`: no limit (`-1` in the file). */
  readonly functionTimeoutMs: number | undefined;
  readonly queues: QueueOptions;
  readonly logLevels: Readonly<Record<string, string>>;
}

/** Reads `host.json` of the app folder; a setting `AzureFunctionsJobHost__a__b` overrides its `a.b`, as in Azure. */
export async function readHostJson(appDir: string, env: NodeJS.ProcessEnv): Promise<HostJson> {
  const path = join(appDir, 'host.json');
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new Error(`A function app needs a host.json; "${path}" cannot be read.`, { cause });
  });
  try {
    return parseHostJson(JSON.parse(text), env);
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    throw new Error(`"${path}" is not a valid host.json: ${reason}`, { cause });
  }
}

export function parseHostJson(input: unknown, env: NodeJS.ProcessEnv = {}): HostJson {
  const parsed = hostJsonSchema.parse(withOverrides(input, env));
  const { queues } = parsed.extensions;
  return {
    routePrefix: parsed.extensions.http.routePrefix.replace(/^\/+|\/+$/g, ''),
    functionTimeoutMs: parsed.functionTimeout ?? undefined,
    queues: {
      batchSize: queues.batchSize,
      newBatchThreshold: queues.newBatchThreshold ?? Math.floor(queues.batchSize / 2),
      maxPollingIntervalMs: queues.maxPollingInterval,
      failedVisibilityMs: queues.visibilityTimeout,
      maxDequeueCount: queues.maxDequeueCount,
      messageEncoding: queues.messageEncoding,
    },
    logLevels: parsed.logging.logLevel,
  };
}

const timeSpanPattern = /^(?:(\d+)\.)?(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,7}))?)?$/;

/** A .NET `[d.]hh:mm[:ss[.fffffff]]`, in milliseconds. */
const timeSpan = z.string().transform((text, context) => {
  const match = timeSpanPattern.exec(text);
  if (match === null) {
    context.addIssue({ code: 'custom', message: `"${text}" is not a time span such as 00:00:10` });
    return z.NEVER;
  }
  const [, days = '0', hours = '0', minutes = '0', seconds = '0', fraction = '0'] = match;
  const wholeSeconds = ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds);
  return Math.round((wholeSeconds + Number(`0.${fraction}`)) * 1000);
});

// Defaults and ranges: "host.json reference for Azure Functions 2.x and later" and its queue page.
const queuesSchema = z.object({
  batchSize: z.coerce.number().int().min(1).max(32).default(16),
  newBatchThreshold: z.coerce.number().int().min(0).optional(),
  maxPollingInterval: timeSpan.default(60_000),
  visibilityTimeout: timeSpan.default(0),
  maxDequeueCount: z.coerce.number().int().min(1).default(5),
  messageEncoding: z
    .string()
    .transform((text) => text.toLowerCase())
    .pipe(z.enum(['base64', 'none']))
    .default('base64'),
});

const hostJsonSchema = z.object({
  version: z.literal('2.0'),
  functionTimeout: z
    .literal('-1')
    .transform(() => null)
    .or(timeSpan)
    .default(30 * 60_000),
  extensions: z
    .object({
      http: z.object({ routePrefix: z.string().default('api') }).prefault({}),
      queues: queuesSchema.prefault({}),
    })
    .prefault({}),
  logging: z
    .object({
      logLevel: z
        .record(
          z.string(),
          z.string().refine((text) => parseLogLevel(text) !== undefined, 'not a log level'),
        )
        .default({}),
    })
    .prefault({}),
});

function withOverrides(input: unknown, env: NodeJS.ProcessEnv): unknown {
  let merged = input;
  for (const [name, value] of Object.entries(env)) {
    const [prefix, ...path] = name.split('__');
    if (prefix === 'AzureFunctionsJobHost' && path.length > 0 && value !== undefined) {
      merged = withValue(merged, path, value);
    }
  }
  return merged;
}

function withValue(target: unknown, [key, ...rest]: readonly string[], value: string): unknown {
  if (key === undefined) return value;
  const record = z.record(z.string(), z.unknown()).catch({}).parse(target);
  return { ...record, [key]: withValue(record[key], rest, value) };
}
