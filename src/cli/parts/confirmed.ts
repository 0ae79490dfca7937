import type { Context } from './context.ts';
import { Fault, isFault } from './errors.ts';
import { say } from './terminal.ts';

interface Confirmable {
  readonly confirm?: string;
}

/** A typing error at night is no change of mind. */
const TRIES = 3;

/** To add to a command: what is printed confirms nothing by itself. */
const CONFIRM = '--confirm NAMESPACE/HUB';

/** Said beside a command that is printed to be pasted. */
export const ASKS_FOR_NAME = `asks for the full name of the hub; in a script, add ${CONFIRM}`;

/**
 * Sends a body. Where the app wants the full name of a hub typed back, a person at the keyboard is asked for it, and
 * after a name that is another once or twice more. Without a keyboard the refusal says which command to fill in.
 */
export async function confirmed<Body extends Confirmable, T>(
  context: Context,
  body: Body,
  send: (body: Body & Confirmable) => Promise<T>,
): Promise<T> {
  const { terminal } = context;
  for (let sent: Body & Confirmable = body, asked = 0; ; asked += 1) {
    try {
      return await send(sent);
    } catch (error) {
      const isAsked = isFault(error, 'refused', 'TargetIsSource') || isFault(error, 'refused', 'ConfirmationMissing');
      if (!isAsked || body.confirm !== undefined || asked === TRIES) throw error;
      if (terminal.ask === undefined) throw unconfirmed(context, error);
      say(terminal, error.message);
      sent = {
        ...body,
        confirm: await terminal.ask('To confirm, type the full name of the hub, namespace/hub: '),
      };
    }
  }
}

/** The name that is to be typed back; asked for a few times. `isRight` judges what was typed. */
export async function askForName(
  { terminal: { ask, ...terminal } }: Context,
  question: string,
  { isRight, wrong }: { readonly isRight: (typed: string) => boolean; readonly wrong: string },
): Promise<string | undefined> {
  for (let tries = 0; ask !== undefined && tries < TRIES; tries += 1) {
    const typed = await ask(question);
    if (isRight(typed)) return typed;
    say(terminal, wrong);
  }
  return undefined;
}

/** The refusal, with the command that would not be refused. */
export function unconfirmed({ called }: Context, { kind, message, facts }: Fault): Fault {
  return new Fault(kind, message, { ...facts, command: `${called} ${CONFIRM}` });
}
