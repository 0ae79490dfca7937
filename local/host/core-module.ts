import { registerHooks } from 'node:module';
import type {
  Disposable,
  FunctionCallback,
  FunctionMetadata,
  HookCallback,
  HookName,
  LogLevel,
  ProgrammingModel,
} from './core-types.ts';

/** What an app said through `@azure/functions-core` while its entry files ran. */
export interface Registrations {
  readonly functions: Map<string, { readonly metadata: FunctionMetadata; readonly callback: FunctionCallback }>;
  readonly hooks: Readonly<Record<HookName, Set<HookCallback>>>;
  readonly model: ProgrammingModel | undefined;
}

/**
 * Runs `load` with `@azure/functions-core` supplied, and returns what was registered meanwhile. Registering a function
 * after that throws, as in the real worker; hooks may come and go. One load at a time: the library keeps one core
 * module, and one programming model, for the life of the process.
 */
export async function collectRegistrations(
  log: (level: LogLevel, message: string) => void,
  load: () => Promise<void>,
): Promise<Registrations> {
  supplyCoreModule();
  if (current !== undefined) throw new Error('Another app is being loaded in this process.');
  const functions: Registrations['functions'] = new Map();
  const hooks = {
    appStart: new Set<HookCallback>(),
    appTerminate: new Set<HookCallback>(),
    preInvocation: new Set<HookCallback>(),
    postInvocation: new Set<HookCallback>(),
  };
  current = { functions, hooks };
  writeLog = log;
  try {
    await load();
  } finally {
    current = undefined;
  }
  return { functions, hooks, model };
}

let isSupplied = false;
let current: Omit<Registrations, 'model'> | undefined;
let model: ProgrammingModel | undefined;
let writeLog: (level: LogLevel, message: string) => void = () => {};

const moduleName = '@azure/functions-core';
const moduleUrl = 'functions-core:local-host';
const globalKey = 'notification-hubs-dr/functions-core';

/** The library calls a CommonJS `require` that must find the module before its first `app.*` call. */
function supplyCoreModule(): void {
  if (isSupplied) return;
  isSupplied = true;
  Reflect.set(globalThis, Symbol.for(globalKey), coreModule);
  const source = `module.exports = globalThis[Symbol.for(${JSON.stringify(globalKey)})];`;
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === moduleName ? { url: moduleUrl, format: 'commonjs', shortCircuit: true } : next(specifier, context),
    load: (url, context, next) =>
      url === moduleUrl ? { format: 'commonjs', source, shortCircuit: true } : next(url, context),
  });
}

const coreModule = {
  version: '3.13.0',
  hostVersion: '4.1040.0',
  Disposable: class {
    readonly dispose: () => void;
    constructor(dispose: () => void) {
      this.dispose = dispose;
    }
  },
  setProgrammingModel(newModel: ProgrammingModel): void {
    model = newModel;
  },
  getProgrammingModel: (): ProgrammingModel | undefined => model,
  log(level: LogLevel, _category: string, message: string): void {
    writeLog(level, message);
  },
  registerFunction(metadata: FunctionMetadata, callback: FunctionCallback): Disposable {
    if (current === undefined) throw systemError(Error, 'A function can only be registered during app startup.');
    const { functions } = current;
    if (functions.has(metadata.name)) {
      throw systemError(Error, `A function with id "${metadata.name}" has already been registered.`);
    }
    functions.set(metadata.name, { metadata, callback });
    return { dispose: () => functions.delete(metadata.name) };
  },
  registerHook(name: string, callback: HookCallback): Disposable {
    if (current === undefined) throw systemError(Error, 'A hook can only be registered during app startup.');
    if (!isHookName(name)) throw systemError(RangeError, `Unrecognized hook "${name}"`);
    const callbacks = current.hooks[name];
    callbacks.add(callback);
    return { dispose: () => callbacks.delete(callback) };
  },
};

function isHookName(name: string): name is HookName {
  return name === 'appStart' || name === 'appTerminate' || name === 'preInvocation' || name === 'postInvocation';
}

function systemError(type: new (message: string) => Error, message: string): Error {
  return Object.assign(new type(message), { isAzureFunctionsSystemError: true });
}
