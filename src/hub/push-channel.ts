type Form = 'object' | 'text';

/**
 * The form in which a hub takes the push channel of a browser's installation: an object, or a text that holds it
 * (service-facts 1.6). It goes as it is given until the hub has refused it and taken the other one.
 */
export class PushChannels {
  #taken: Form | undefined;

  /** The body in the form that the hub is known to take. */
  inTakenForm(json: string): string {
    return this.#taken === undefined ? json : (toForm(json, this.#taken) ?? json);
  }

  /** The body in the other form; `undefined` where it has only one. */
  inOtherForm(json: string): string | undefined {
    return toForm(json, 'object') ?? toForm(json, 'text');
  }

  /** The hub has refused the body in the other form. */
  noteTaken(json: string): void {
    this.#taken = toForm(json, 'text') === undefined ? 'text' : 'object';
  }
}

/** `undefined` where that changes nothing. */
function toForm(json: string, form: Form): string | undefined {
  if (!/"platform":"browser"/i.test(json)) return undefined;
  const body: { readonly pushChannel?: unknown } = JSON.parse(json);
  const { pushChannel } = body;
  if (form === 'text') {
    return typeof pushChannel === 'object' ? written(body, JSON.stringify(pushChannel)) : undefined;
  }
  const channel = typeof pushChannel === 'string' ? asObject(pushChannel) : undefined;
  return channel && written(body, channel);
}

function written(body: object, pushChannel: unknown): string {
  return JSON.stringify({ ...body, pushChannel });
}

function asObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    // A plain address: there is no other form of it.
    return undefined;
  }
}
