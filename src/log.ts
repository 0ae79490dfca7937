import type { Log, LogFields } from './core/ports.ts';

type Level = 'info' | 'warn' | 'error';

/** One line an event: the message, then `name=value` pairs. Callers hand in counts and ids, never device data. */
export function createLog(write: (level: Level, line: string) => void): Log {
  const at = (level: Level) => (message: string, fields?: LogFields) => write(level, formatLine(message, fields));
  return { info: at('info'), warn: at('warn'), error: at('error') };
}

function formatLine(message: string, fields: LogFields = {}): string {
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(
      ([name, value]) => `${name}=${typeof value === 'string' && /[\s"]/.test(value) ? JSON.stringify(value) : value}`,
    );
  return [message, ...pairs].join(' ');
}
