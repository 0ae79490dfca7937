import { AsyncLocalStorage } from 'node:async_hooks';
import { format } from 'node:util';
import type { LogLevel } from './core-types.ts';

/** Receives finished lines, without their line end. */
export type LogSink = (line: string) => void;

export interface HostLog {
  /** The host's own chatter: hidden by `isQuiet` below warning. */
  host(level: LogLevel, message: string): void;
  /** What an app's function said through its context. */
  app(level: LogLevel, functionName: string, message: string): void;
}

/** `levels` is `logging.logLevel` of host.json: the longest matching category prefix decides, then `default`. */
export function createLog(sink: LogSink, levels: Readonly<Record<string, string>> = {}, isQuiet = false): HostLog {
  const isShown = (category: string, level: LogLevel) => rank(level) >= rank(levelOf(category, levels));
  return {
    host(level, message) {
      if (isQuiet && rank(level) < rank('warning')) return;
      if (isShown('Host', level)) sink(line(level, 'host', message));
    },
    app(level, functionName, message) {
      if (isShown(`Function.${functionName}.User`, level)) sink(line(level, functionName, message));
    },
  };
}

/** The function on whose behalf the current call runs; names the origin of a plain `console.log`. */
export const runningFunction = new AsyncLocalStorage<string>();

/** Sends the `console` of the whole process to `log`, under the name of the function that calls it. */
export function captureConsole(log: () => HostLog): void {
  const levels = { log: 'information', info: 'information', debug: 'debug', warn: 'warning', error: 'error' } as const;
  for (const [method, level] of Object.entries(levels)) {
    Reflect.set(console, method, (...args: unknown[]) => {
      log().app(level, runningFunction.getStore() ?? 'app', format(...args));
    });
  }
}

export function parseLogLevel(text: string): LogLevel | undefined {
  return order.find((level) => level === text.toLowerCase());
}

const order: readonly LogLevel[] = ['trace', 'debug', 'information', 'warning', 'error', 'critical', 'none'];

function rank(level: LogLevel): number {
  return order.indexOf(level);
}

function levelOf(category: string, levels: Readonly<Record<string, string>>): LogLevel {
  const parts = category.split('.');
  for (let length = parts.length; length > 0; length--) {
    const text = levels[parts.slice(0, length).join('.')];
    if (text !== undefined) return parseLogLevel(text) ?? 'information';
  }
  return parseLogLevel(levels['default'] ?? '') ?? 'information';
}

function line(level: LogLevel, origin: string, message: string): string {
  const mark = level === 'information' ? '' : `${level}: `;
  return `${new Date().toISOString()} [${origin}] ${mark}${message}`;
}
