import type { Context } from './context.ts';
import { isFault } from './errors.ts';
import { say } from './terminal.ts';

interface Confirmable {
  readonly confirm?: string;
}

/** Sends a body. Where the app wants the full name of a hub typed back, a person at the keyboard is asked for it. */
export async function confirmed<Body extends Confirmable, T>(
  { terminal }: Context,
  body: Body,
  send: (body: Body & Confirmable) => Promise<T>,
): Promise<T> {
  try {
    return await send(body);
  } catch (error) {
    const isAsked = isFault(error, 'refused', 'TargetIsSource') || isFault(error, 'refused', 'ConfirmationMissing');
    if (!isAsked || body.confirm !== undefined || terminal.ask === undefined) throw error;
    say(terminal, error.message);
    return send({ ...body, confirm: await terminal.ask('To confirm, type the full name of the hub, namespace/hub: ') });
  }
}
