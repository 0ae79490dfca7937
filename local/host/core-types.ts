/**
 * The part of `@azure/functions-core` that the library and this host speak, as the Node.js worker declares it
 * (azure-functions-nodejs-worker, `types-core/index.d.ts`). Enums are strings at this level.
 */
export interface TypedData {
  readonly string?: string | null;
  readonly json?: string | null;
  readonly bytes?: Uint8Array | null;
  readonly int?: number | null;
  readonly double?: number | null;
  readonly http?: RequestHttpData | ResponseHttpData | null;
}

export interface RequestHttpData {
  readonly method: string;
  readonly url: string;
  readonly nullableHeaders: Readonly<Record<string, Nullable<string>>>;
  readonly nullableQuery: Readonly<Record<string, Nullable<string>>>;
  readonly nullableParams: Readonly<Record<string, Nullable<string>>>;
  readonly body?: TypedData;
}

interface ResponseHttpData {
  readonly statusCode?: string | null;
  readonly headers?: Readonly<Record<string, string>> | null;
  readonly cookies?: readonly ResponseCookie[] | null;
  readonly body?: TypedData | null;
}

export interface ResponseCookie {
  readonly name: string;
  readonly value: string;
  readonly domain?: Nullable<string> | undefined;
  readonly path?: Nullable<string> | undefined;
  readonly expires?: Nullable<{ readonly seconds: number }> | undefined;
  readonly secure?: Nullable<boolean> | undefined;
  readonly httpOnly?: Nullable<boolean> | undefined;
  readonly sameSite?: 'none' | 'lax' | 'strict' | 'explicitNone' | undefined;
  readonly maxAge?: Nullable<number> | undefined;
}

export interface Nullable<T> {
  readonly value: T;
}

export interface Binding {
  readonly type: string;
  readonly direction: string;
  readonly [property: string]: unknown;
}

export interface FunctionMetadata {
  readonly name: string;
  readonly bindings: Readonly<Record<string, Binding>>;
  readonly retryOptions?: unknown;
}

export type FunctionCallback = (...args: unknown[]) => unknown;

export type LogLevel = 'trace' | 'debug' | 'information' | 'warning' | 'error' | 'critical' | 'none';

interface InvocationRequest {
  readonly invocationId: string;
  readonly inputData: ReadonlyArray<{ readonly name: string; readonly data: TypedData }>;
  readonly triggerMetadata: Readonly<Record<string, TypedData>>;
  readonly traceContext: { readonly traceParent: string; readonly traceState: string };
}

export interface CoreContext {
  readonly invocationId: string;
  readonly metadata: FunctionMetadata;
  readonly request: InvocationRequest;
  /** Read by the library: a log call after the function has ended is reported as a missing `await`. */
  state?: 'preInvocationHooks' | 'invocation' | 'postInvocationHooks' | undefined;
  log(level: LogLevel, category: string, message: string): void;
}

export interface InvocationResponse {
  readonly returnValue?: TypedData | null;
  readonly outputData?: ReadonlyArray<{ readonly name: string; readonly data: TypedData }>;
}

interface InvocationModel {
  getArguments(): Promise<{ readonly context: unknown; readonly inputs: unknown[] }>;
  invokeFunction(context: unknown, inputs: unknown[], callback: FunctionCallback): Promise<unknown>;
  getResponse(context: unknown, result: unknown): Promise<InvocationResponse>;
}

export interface ProgrammingModel {
  getInvocationModel(context: CoreContext): InvocationModel;
  getCapabilities(capabilities: Record<string, string>): Promise<Record<string, string>>;
}

export type HookName = 'appStart' | 'appTerminate' | 'preInvocation' | 'postInvocation';
export type HookCallback = (context: object) => void | Promise<void>;

export interface Disposable {
  dispose(): void;
}
