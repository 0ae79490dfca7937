import { type Fault, isFault } from './errors.ts';
import { say, type Terminal } from './terminal.ts';

/** Long enough for a deployment, a cold start or a moved instance. */
const RETRY_FOR_MINUTES = 10;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;

/** What may be sent again: a `read` always, `repeatable` work unless the app refused it, `once` only if it cannot have arrived. */
export type Repeat = 'read' | 'repeatable' | 'once';

/** Retries a call to an app that is away, with growing pauses. Reports the first failure and the recovery. */
export async function retryWhileAway<T>(terminal: Terminal, repeat: Repeat, work: () => Promise<T>): Promise<T> {
  const endsAt = terminal.now() + RETRY_FOR_MINUTES * 60_000;
  for (let tries = 0; ; tries += 1) {
    try {
      const result = await work();
      if (tries > 0) say(terminal, 'The app answers again.');
      return result;
    } catch (error) {
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** tries, LONGEST_PAUSE_MS);
      if (!isRetryable(error, repeat) || terminal.now() + pauseMs > endsAt) throw error;
      if (tries === 0) say(terminal, `${error.message} Retrying for up to ${RETRY_FOR_MINUTES} min …`);
      await terminal.sleep(pauseMs);
    }
  }
}

const passingCodes = new Set(['HubUnavailable', 'StorageUnavailable', 'Internal']);

function isRetryable(error: unknown, repeat: Repeat): error is Fault {
  if (isFault(error, 'unreachable')) return repeat !== 'once' || error.facts.isUnsent === true;
  return repeat === 'read' && isFault(error, 'refused') && passingCodes.has(error.facts.code ?? '');
}
