import { runCli } from '../../src/cli/cli.ts';
import { Fault } from '../../src/cli/parts/errors.ts';

export interface Outcome {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  /** Of the screen; absent when output goes to a file. */
  readonly columns?: number;
  readonly rows?: number;
  /** What the person at the keyboard types, one answer after the other; absent when there is no keyboard. */
  readonly typed?: readonly string[];
  /** Ctrl-C comes at this wait. */
  readonly interruptAtWait?: number;
}

/** Runs one command line with a clock that jumps, so that nothing is waited for. */
export async function runIn(argv: readonly string[], surroundings: Surroundings = {}): Promise<Outcome> {
  const { env = {}, columns, rows, interruptAtWait } = surroundings;
  const typed = surroundings.typed === undefined ? undefined : [...surroundings.typed];
  const interruption = new AbortController();
  let out = '';
  let err = '';
  let nowMs = Date.parse('2026-11-23T12:00:00Z');
  let waits = 0;
  const exitCode = await runCli(argv, {
    env,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    host: 'console-1',
    columns: () => columns,
    resultColumns: () => columns,
    resultRows: () => rows,
    mark: (colour, text) => (columns === undefined ? text : `<${colour}>${text}</${colour}>`),
    ...(typed === undefined
      ? {}
      : {
          ask: async (question) => {
            err += `${question}\n`;
            return typed.shift() ?? '';
          },
        }),
    sleep: async (milliseconds) => {
      nowMs += milliseconds;
      waits += 1;
      if (waits !== interruptAtWait) return;
      interruption.abort();
      throw new Fault('interrupted', 'Interrupted.');
    },
    interrupted: interruption.signal,
    now: () => nowMs,
  });
  return { exitCode, out, err };
}
