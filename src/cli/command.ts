import type { Client } from './client.ts';
import type { Json } from './json.ts';
import type { OptionName, Values } from './options.ts';
import type { Terminal } from './terminal.ts';

/** One word of the command line. */
export interface Command {
  readonly name: string;
  /** What must follow the name, as help shows it; absent when nothing may. */
  readonly argument?: string;
  readonly summary: string;
  /** Beside `--url`, `--key`, `--json` and `--help`, which all take. */
  readonly options: readonly OptionName[];
  /** Gives the exit code. */
  run(call: Call): Promise<number>;
}

/** A command line ready to be carried out. */
export interface Call {
  readonly client: Client;
  readonly terminal: Terminal;
  readonly values: Values;
  /** What followed the command's name; empty when nothing may. */
  readonly argument: string;
  /** Puts a result on stdout: the view itself with `--json`, the text otherwise. */
  show(view: unknown, text: string): void;
}

/** A GET whose answer is one JSON object. */
export async function read({ client }: Call, path: string): Promise<Json> {
  return toView((await client.call('GET', path)).body);
}

/** The client lets only objects through where it asks for JSON. */
export function toView(body: unknown): Json {
  return typeof body === 'object' && body !== null ? { ...body } : {};
}
