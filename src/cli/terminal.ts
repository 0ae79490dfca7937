import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Interrupted } from './errors.ts';

/** Where the tool is run: what it reads and writes, and what it waits with. Tests bring their own. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Results. */
  out(text: string): void;
  /** Everything else: progress, questions, errors. */
  err(text: string): void;
  /** Width of the screen progress is drawn on; `undefined` when it is none, and lines are written instead. */
  columns(): number | undefined;
  /** Asks the person at the keyboard; absent when there is none. Hidden answers are not echoed. */
  readonly ask?: (question: string, options?: { readonly isHidden?: boolean }) => Promise<string>;
  /** Rejects with `Interrupted` at Ctrl-C. */
  sleep(milliseconds: number): Promise<void>;
  /** Aborted at Ctrl-C. */
  readonly interrupted: AbortSignal;
  /** Epoch ms. */
  now(): number;
}

/** The terminal of this process. Ctrl-C interrupts what waits; a second one ends the process at once. */
export function openTerminal(): Terminal {
  const { stdin, stdout, stderr, env } = process;
  const interruption = new AbortController();
  process.on('SIGINT', () => {
    if (interruption.signal.aborted) process.exit(130);
    interruption.abort();
  });
  // `… | head` closes the pipe when it has seen enough.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  const isAttended = stdin.isTTY === true && stderr.isTTY === true;
  const canDraw = stderr.isTTY === true && env['TERM'] !== 'dumb';
  return {
    env,
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    columns: () => (canDraw ? stderr.columns || 80 : undefined),
    ...(isAttended ? { ask: (question, options) => ask(question, options?.isHidden === true, interruption) } : {}),
    sleep: async (milliseconds) => {
      await sleep(milliseconds, undefined, { signal: interruption.signal }).catch((error: unknown) => {
        throw interruption.signal.aborted ? new Interrupted('Interrupted.') : error;
      });
    },
    interrupted: interruption.signal,
    now: Date.now,
  };
}

async function ask(question: string, isHidden: boolean, interruption: AbortController): Promise<string> {
  // Readline shows the question and what is typed on its output: for a hidden answer that is one that shows nothing.
  if (isHidden) process.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: isHidden ? nowhere : process.stderr, terminal: true });
  lines.once('SIGINT', () => interruption.abort());
  try {
    const { promise: ended, reject } = Promise.withResolvers<never>();
    lines.once('close', () => reject(new Interrupted('Interrupted.')));
    return (await Promise.race([lines.question(question, { signal: interruption.signal }), ended])).trim();
  } catch (error) {
    throw interruption.signal.aborted ? new Interrupted('Interrupted.') : error;
  } finally {
    lines.close();
    if (isHidden) process.stderr.write('\n');
  }
}
