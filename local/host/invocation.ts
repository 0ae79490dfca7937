import { randomBytes, randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import type { CoreContext, HookName, InvocationResponse, TypedData } from './core-types.ts';
import type { FunctionDefinition } from './function-definition.ts';
import type { LoadedApp } from './load-app.ts';
import { type HostLog, runningFunction } from './log.ts';

export interface InvocationInput {
  readonly data: TypedData;
  readonly reason: string;
  readonly triggerMetadata?: Readonly<Record<string, TypedData>>;
  readonly dequeueCount?: number;
}

/** The real host's reason for HTTP requests and calls through its admin API. */
export const byHand = 'This function was programmatically called via the host APIs.';

/** One line of the invocation log. */
interface InvocationRecord {
  readonly function: string;
  readonly invocationId: string;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly status: 'Succeeded' | 'Failed' | 'TimedOut';
  readonly dequeueCount?: number;
}

type InvocationResult =
  | { readonly kind: 'succeeded'; readonly response: InvocationResponse }
  | { readonly kind: 'failed' };

export interface Invoker {
  /** Never rejects: a failure is logged and answered as `failed`. */
  invoke(definition: FunctionDefinition, input: InvocationInput): Promise<InvocationResult>;
  /** Names of the functions now running. */
  running(): readonly string[];
  /** Resolves when what runs now has ended. */
  drained(): Promise<unknown>;
  /** Resolves when nothing runs. */
  idle(): Promise<void>;
  runHooks(name: 'appStart' | 'appTerminate', context: object): Promise<void>;
}

export interface InvokerOptions {
  readonly app: LoadedApp;
  readonly log: HostLog;
  readonly timeoutMs: number | undefined;
  readonly sendOutputs: (definition: FunctionDefinition, response: InvocationResponse) => Promise<void>;
  readonly record: (record: InvocationRecord) => void;
  readonly onTimeout: (error: Error) => void;
}

/** Runs functions the way the Node.js worker does (its `InvocationHandler.ts`), over the library's own model. */
export function createInvoker(options: InvokerOptions): Invoker {
  const running = new Map<Promise<unknown>, string>();
  const appHookData = {};
  return {
    invoke(definition, input) {
      const invocation = invokeLogged(definition, input, options, appHookData);
      running.set(invocation, definition.name);
      return invocation.finally(() => running.delete(invocation));
    },
    running: () => [...running.values()],
    drained: () => Promise.allSettled(running.keys()),
    async idle() {
      while (running.size > 0) await Promise.allSettled(running.keys());
    },
    runHooks: (name, context) => runHooks(options.app, name, { hookData: {}, appHookData, ...context }),
  };
}

async function invokeLogged(
  definition: FunctionDefinition,
  input: InvocationInput,
  options: InvokerOptions,
  appHookData: object,
): Promise<InvocationResult> {
  const { log, timeoutMs } = options;
  const invocationId = randomUUID();
  const label = `'Functions.${definition.name}'`;
  log.host('information', `Executing ${label} (Reason='${input.reason}', Id=${invocationId})`);
  const startedAt = new Date();
  const started = performance.now();
  const finish = (status: InvocationRecord['status']) => {
    const durationMs = Math.round(performance.now() - started);
    const outcome = status === 'Succeeded' ? 'Succeeded' : 'Failed';
    const message = `Executed ${label} (${outcome}, Id=${invocationId}, Duration=${durationMs}ms)`;
    log.host(status === 'Succeeded' ? 'information' : 'error', message);
    options.record({
      function: definition.name,
      invocationId,
      startedAt: startedAt.toISOString(),
      durationMs,
      status,
      ...(input.dequeueCount === undefined ? {} : { dequeueCount: input.dequeueCount }),
    });
  };
  try {
    const work = runningFunction.run(definition.name, () => run(definition, input, invocationId, options, appHookData));
    const response = await withTimeout(work, timeoutMs, definition.name, invocationId);
    finish('Succeeded');
    return { kind: 'succeeded', response };
  } catch (error) {
    log.app('error', definition.name, error instanceof Error ? inspect(error) : `threw ${inspect(error)}`);
    const isTimeout = error instanceof FunctionTimeoutError;
    finish(isTimeout ? 'TimedOut' : 'Failed');
    if (isTimeout) options.onTimeout(error);
    return { kind: 'failed' };
  }
}

async function run(
  definition: FunctionDefinition,
  input: InvocationInput,
  invocationId: string,
  options: InvokerOptions,
  appHookData: object,
): Promise<InvocationResponse> {
  const { app, log } = options;
  const core = newCoreContext(definition, input, invocationId, log);
  const model = app.model.getInvocationModel(core);
  const { context, inputs } = await model.getArguments();
  const shared = { hookData: {}, appHookData, invocationContext: context };

  const before = { ...shared, inputs, functionCallback: definition.callback };
  core.state = 'preInvocationHooks';
  await runHooks(app, 'preInvocation', before);

  const after: Outcome = { ...shared, inputs: before.inputs, result: null, error: null };
  core.state = 'invocation';
  try {
    after.result = await model.invokeFunction(context, before.inputs, before.functionCallback);
  } catch (error) {
    after.error = error ?? new Error('The function threw nothing (undefined or null).');
  }
  core.state = 'postInvocationHooks';
  await runHooks(app, 'postInvocation', after);
  core.state = undefined;
  if (after.error !== null && after.error !== undefined) throw after.error;

  const response = await model.getResponse(context, after.result);
  await options.sendOutputs(definition, response);
  return response;
}

function newCoreContext(
  { name, metadata, triggerName }: FunctionDefinition,
  { data, triggerMetadata = {} }: InvocationInput,
  invocationId: string,
  log: HostLog,
): CoreContext {
  const traceContext = { traceParent: newTraceParent(), traceState: '' };
  return {
    invocationId,
    metadata,
    request: { invocationId, inputData: [{ name: triggerName, data }], triggerMetadata, traceContext },
    log: (level, _category, message) => log.app(level, name, message),
  };
}

/** What post-invocation hooks see and may change. */
interface Outcome {
  readonly hookData: object;
  readonly appHookData: object;
  readonly invocationContext: unknown;
  readonly inputs: unknown[];
  result: unknown;
  error: unknown;
}

async function runHooks(app: LoadedApp, name: HookName, context: object): Promise<void> {
  for (const callback of app.hooks[name]) await callback(context);
}

class FunctionTimeoutError extends Error {
  override readonly name = 'FunctionTimeoutError';
}

async function withTimeout<T>(
  work: Promise<T>,
  timeoutMs: number | undefined,
  name: string,
  invocationId: string,
): Promise<T> {
  if (timeoutMs === undefined) return work;
  const { promise, reject } = Promise.withResolvers<never>();
  const message = `Timeout value of ${timeoutMs / 1000} s exceeded by function 'Functions.${name}' (Id: '${invocationId}').`;
  const timer = setTimeout(() => reject(new FunctionTimeoutError(message)), timeoutMs);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** W3C trace context, as the real host sends with every invocation. */
function newTraceParent(): string {
  return `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-00`;
}
