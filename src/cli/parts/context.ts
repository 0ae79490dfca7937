import type { Client } from './client.ts';
import type { Terminal } from './terminal.ts';

/** What a command works with. */
export interface Context {
  readonly client: Client;
  readonly terminal: Terminal;
  readonly isJson: boolean;
  /** The command line as it was called, without its key. */
  readonly called: string;
  /**
   * Writes a result to stdout: the view itself with `--json`, the text otherwise. Where its beginning scrolls away, it
   * ends with the verdict: whole lines.
   */
  show(view: unknown, text: string, verdict?: string): void;
}

/** Makes a parser's action of a command. One that gives no exit code is done. */
export type Run = <Args extends readonly unknown[]>(
  command: (context: Context, ...args: Args) => Promise<number | undefined>,
) => (...args: Args) => Promise<void>;

export const watchOption = ['--watch', 'stay until the run ends; Ctrl-C stops watching, not the run'] as const;
