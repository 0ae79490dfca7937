import { hostname, userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { styleText } from 'node:util';
import { Fault } from './errors.ts';
import { paragraph } from './format.ts';
import { tool } from './tool.ts';

export type Colour = 'green' | 'yellow' | 'red';

/** The tool's surroundings: what it reads, writes and waits with. Tests bring their own. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Name of this machine. */
  readonly host: string;
  /** Of who is logged in, where the system knows; containers and timers often set no variable. */
  readonly login?: string | undefined;
  /** Results. */
  out(text: string): void;
  /** Everything else: progress, questions, errors. */
  err(text: string): void;
  /** Width of the screen; `undefined` when stderr is not one and gets lines instead of a drawn bar. */
  columns(): number | undefined;
  /** Width of the screen that results are read on; `undefined` when they go to a file or a pipe. */
  resultColumns(): number | undefined;
  /** Its height, likewise. */
  resultRows(): number | undefined;
  /** Coloured, where results go to a screen and `NO_COLOR` is not set. */
  mark(colour: Colour, text: string): string;
  /** Asks the person at the keyboard; absent when there is none. A hidden answer is not echoed. */
  readonly ask?: (question: string, options?: { readonly isHidden?: boolean }) => Promise<string>;
  /** Rejects at Ctrl-C. */
  sleep(milliseconds: number): Promise<void>;
  /** Aborted at Ctrl-C. */
  readonly interrupted: AbortSignal;
  /** Epoch ms. */
  now(): number;
}

/** Tells the person at the screen, beside the result. */
export function say(terminal: Pick<Terminal, 'err' | 'columns'>, text: string): void {
  terminal.err(paragraph(text, terminal.columns()));
}

/** The text, and where it is as high as the screen the verdict once more. */
export function endingIn(verdict: string, text: string, { resultRows }: Pick<Terminal, 'resultRows'>): string {
  const rows = resultRows();
  return rows !== undefined && linesIn(text) >= rows ? `${text}${verdict}` : text;
}

interface List {
  readonly command: string;
  /** Whether the app has more than these. */
  readonly hasMore?: boolean;
  readonly isAll: boolean;
}

/**
 * A list, newest first: as much of it as the screen has room for above the prompt, unless all is wanted, and how the rest
 * is shown.
 */
export function fitted<T>(
  rows: readonly T[],
  { resultRows }: Pick<Terminal, 'resultRows'>,
  { command, hasMore = false, isAll }: List,
  render: (rows: readonly T[]) => string,
): string {
  const most = isAll ? undefined : resultRows();
  let shown = rows;
  while (most !== undefined && shown.length > 1 && linesIn(render(shown)) + 2 > most) shown = shown.slice(0, -1);
  const isCut = hasMore || shown.length < rows.length;
  return `${render(shown)}${isCut ? `Older ones: ${tool} ${command} --all\n` : ''}`;
}

function linesIn(text: string): number {
  return text.split('\n').length - 1;
}

/** The terminal of this process. Ctrl-C interrupts what is waiting; a second one ends the process at once. */
export function openTerminal(): Terminal {
  const { stdin, stdout, stderr, env } = process;
  const interruption = new AbortController();
  process.on('SIGINT', () => {
    if (interruption.signal.aborted) process.exit(130);
    interruption.abort();
  });
  // `… | head` closes the pipe once it has its lines.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  const isAttended = stdin.isTTY === true && stderr.isTTY === true;
  const canDraw = stderr.isTTY === true && env['TERM'] !== 'dumb';
  return {
    env,
    host: hostname(),
    login: readLogin(),
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    columns: () => (canDraw ? stderr.columns || 80 : undefined),
    resultColumns: () => (stdout.isTTY === true ? stdout.columns || 80 : undefined),
    resultRows: () => (stdout.isTTY === true ? stdout.rows || 24 : undefined),
    mark: (colour, text) => styleText(colour, text, { stream: stdout }),
    ...(isAttended ? { ask: (question, options) => ask(question, options?.isHidden === true, interruption) } : {}),
    sleep: async (milliseconds) => {
      await sleep(milliseconds, undefined, { signal: interruption.signal }).catch((error: unknown) => {
        throw interruption.signal.aborted ? new Fault('interrupted', 'Interrupted.') : error;
      });
    },
    interrupted: interruption.signal,
    now: Date.now,
  };
}

function readLogin(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined; // A container may run as a number that no user has.
  }
}

async function ask(question: string, isHidden: boolean, interruption: AbortController): Promise<string> {
  // Readline echoes the question and the answer to its output. For a hidden answer that output discards everything.
  if (isHidden) process.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: isHidden ? nowhere : process.stderr, terminal: true });
  lines.once('SIGINT', () => interruption.abort());
  try {
    const { promise: ended, reject } = Promise.withResolvers<never>();
    lines.once('close', () => reject(new Fault('interrupted', 'Interrupted.')));
    return (await Promise.race([lines.question(question, { signal: interruption.signal }), ended])).trim();
  } catch (error) {
    throw interruption.signal.aborted ? new Fault('interrupted', 'Interrupted.') : error;
  } finally {
    lines.close();
    if (isHidden) process.stderr.write('\n');
  }
}
