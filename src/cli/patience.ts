import { ApiRefusal, Away } from './errors.ts';
import { formatSeconds } from './format.ts';
import type { Terminal } from './terminal.ts';

/** A deployment, a cold start or a moved instance is over by then. */
const PATIENCE_MS = 10 * 60_000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;

/** What may be sent again: a `read` always, `repeatable` work unless the app refused it, `once` only what cannot have arrived. */
export type Repeat = 'read' | 'repeatable' | 'once';

/** Repeats a call that found nobody, with growing pauses, for ten minutes; says so once, and when it is over. */
export async function patiently<T>(terminal: Terminal, repeat: Repeat, work: () => Promise<T>): Promise<T> {
  const startedAt = terminal.now();
  for (let tries = 0; ; tries += 1) {
    try {
      const result = await work();
      if (tries > 0) terminal.err('The app answers again.\n');
      return result;
    } catch (error) {
      if (!mayPass(error, repeat)) throw error;
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** tries, LONGEST_PAUSE_MS);
      const waitedMs = terminal.now() - startedAt;
      if (waitedMs + pauseMs > PATIENCE_MS) throw error;
      if (tries === 0) {
        terminal.err(`${sentence(error)} Trying again for up to ${formatSeconds(PATIENCE_MS / 1000)} …\n`);
      }
      await terminal.sleep(pauseMs);
    }
  }
}

const passingCodes = new Set(['HubUnavailable', 'StorageUnavailable', 'Internal']);

function mayPass(error: unknown, repeat: Repeat): boolean {
  if (error instanceof Away) return repeat !== 'once' || error.isUnsent;
  return repeat === 'read' && error instanceof ApiRefusal && passingCodes.has(error.code);
}

function sentence(error: unknown): string {
  const text = error instanceof Error ? error.message : 'The app does not answer';
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
