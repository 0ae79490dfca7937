import { spawn } from 'node:child_process';
import { basename } from 'node:path';
import { z } from 'zod';

const diagnosticSchema = z.object({
  source: z.string(),
  range: z.object({ start: z.object({ line: z.number(), char: z.number() }) }),
  level: z.string(),
  code: z.string(),
  message: z.string(),
});
const compiledSchema = z.object({ diagnostics: z.array(diagnosticSchema), contents: z.string().nullish() });
const paramsSchema = z.object({ diagnostics: z.array(diagnosticSchema) });
const formattedSchema = z.object({ contents: z.string() });
const snapshotSchema = z.object({ snapshot: z.string() });
const answerSchema = z.object({
  id: z.number(),
  result: z.unknown().optional(),
  error: z.object({ message: z.string() }).optional(),
});

/** One process of the compiler for all questions: most of what a process of its own costs is its start. */
export interface Compiler extends AsyncDisposable {
  /** The template of a `.bicep` file, where it has one; and what the compiler says of it and of all that it uses. */
  compile(file: string): Promise<{ readonly template: string | undefined; readonly diagnostics: readonly string[] }>;
  /** What it says of a `.bicepparam` file. */
  compileParameters(file: string): Promise<readonly string[]>;
  format(file: string): Promise<string>;
  /** What a `.bicepparam` file deploys, as JSON. Throws when its parameters are refused. */
  snapshot(file: string): Promise<string>;
}

export function startCompiler(program: string): Compiler {
  const child = spawn(program, ['jsonrpc', '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const asked = new Map<number, PromiseWithResolvers<unknown>>();
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const close = (): void => {
    for (const question of asked.values()) question.reject(new Error(`${program} ended before it answered`));
    end();
  };
  child.once('close', close);
  child.once('error', close);
  // What is written to a process that has ended is answered by that end.
  child.stdin.on('error', close);

  const answer = (text: string): void => {
    const { id, result, error } = answerSchema.parse(JSON.parse(text));
    const question = asked.get(id);
    asked.delete(id);
    if (error === undefined) question?.resolve(result);
    else question?.reject(new Error(error.message));
  };
  let received = Buffer.alloc(0);
  child.stdout.on('data', (bytes: Buffer) => {
    received = Buffer.concat([received, bytes]);
    for (let next = takeMessage(received); next !== undefined; next = takeMessage(received)) {
      received = next.rest;
      answer(next.text);
    }
  });

  let questions = 0;
  async function ask<T>(method: string, params: object, schema: z.ZodType<T>): Promise<T> {
    questions += 1;
    const question = Promise.withResolvers<unknown>();
    asked.set(questions, question);
    const body = JSON.stringify({ jsonrpc: '2.0', id: questions, method: `bicep/${method}`, params });
    child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    return schema.parse(await question.promise);
  }

  return {
    async compile(path) {
      const { contents, diagnostics } = await ask('compile', { path }, compiledSchema);
      return { template: contents ?? undefined, diagnostics: diagnostics.map(lineOf) };
    },
    async compileParameters(path) {
      const { diagnostics } = await ask('compileParams', { path, parameterOverrides: {} }, paramsSchema);
      return diagnostics.map(lineOf);
    },
    async format(path) {
      return (await ask('format', { path }, formattedSchema)).contents;
    },
    async snapshot(path) {
      const params = { path, metadata: scopeOf(path), externalInputs: [] };
      return (await ask('getSnapshot', params, snapshotSchema)).snapshot;
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await ended;
    },
  };
}

/** The first message of what has come, when all of it is there. */
function takeMessage(bytes: Buffer): { readonly text: string; readonly rest: Buffer<ArrayBuffer> } | undefined {
  const head = bytes.indexOf('\r\n\r\n');
  const [, length] = /Content-Length: (\d+)/i.exec(bytes.subarray(0, Math.max(0, head)).toString()) ?? [];
  const end = head + 4 + Number(length);
  if (head < 0 || !(bytes.length >= end)) return undefined;
  return { text: bytes.subarray(head + 4, end).toString(), rest: Buffer.from(bytes.subarray(end)) };
}

function lineOf({ source, range, level, code, message }: z.infer<typeof diagnosticSchema>): string {
  return `${source}(${range.start.line + 1},${range.start.char + 1}): ${level} ${code}: ${message}`;
}

/** A snapshot needs the scope that it is predicted for: a subscription, but for the keys of an app's group. */
function scopeOf(file: string): object {
  return {
    tenantId: '22222222-2222-2222-2222-222222222222',
    subscriptionId: '00000000-0000-0000-0000-000000000000',
    ...(basename(file) === 'keys.bicepparam' ? { resourceGroup: 'rg-app' } : { location: 'northeurope' }),
  };
}
