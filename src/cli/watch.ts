import type { Client } from './client.ts';
import { isObject, type Json, textAt } from './json.ts';
import { patiently } from './patience.ts';
import { createProgress } from './progress.ts';
import type { Terminal } from './terminal.ts';

const POLL_MS = 1000;

/** Polls a run's view until it is over, and shows how it goes on. The answer is the last view. */
export async function watch(client: Client, terminal: Terminal, path: string): Promise<Json> {
  const progress = createProgress(terminal);
  try {
    for (;;) {
      const { body } = await patiently(terminal, 'read', () => client.call('GET', path));
      const view = isObject(body) ? body : {};
      if (isOver(view)) return view;
      progress.show(view);
      await terminal.sleep(POLL_MS);
    }
  } finally {
    progress.end();
  }
}

export function isOver(view: Json): boolean {
  const status = textAt(view, 'status');
  return status === 'Succeeded' || status === 'Failed' || status === 'Canceled';
}
