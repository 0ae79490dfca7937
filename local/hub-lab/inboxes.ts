import { splitTags } from '../emulator/row.ts';
import type { Push } from '../emulator/sends.ts';

/** What one device received through rows of the same kind, template and tags. */
export interface InboxLine {
  readonly handle: string;
  readonly platform: string;
  readonly kind: Push['kind'];
  readonly templateName: string;
  readonly tags: readonly string[];
  /** Deliveries by message. */
  readonly counts: Readonly<Record<string, number>>;
  readonly total: number;
}

/** Everything one device received. */
export interface Inbox {
  readonly handle: string;
  readonly total: number;
  readonly lines: readonly InboxLine[];
}

interface Line {
  readonly kind: Push['kind'];
  readonly platform: string;
  readonly templateName: string;
  readonly tags: string;
  /** One entry for each delivery. */
  readonly messages: string[];
}

/** The push services and devices behind a hub: every handle's deliveries, which outlive the row they came through. */
export class Inboxes {
  readonly #byHandle = new Map<string, Line[]>();

  deliver({ handle, message, ...key }: Push): void {
    const lines = this.#byHandle.get(handle);
    const line = lines?.find(
      ({ kind, platform, templateName, tags }) =>
        kind === key.kind && platform === key.platform && templateName === key.templateName && tags === key.tags,
    );
    if (line !== undefined) line.messages.push(message);
    else if (lines !== undefined) lines.push({ ...key, messages: [message] });
    else this.#byHandle.set(handle, [{ ...key, messages: [message] }]);
  }

  inbox(handle: string): Inbox {
    const lines = (this.#byHandle.get(handle) ?? []).map((line) => view(handle, line));
    return { handle, total: lines.reduce((sum, line) => sum + line.total, 0), lines };
  }

  *counts(): Iterable<InboxLine> {
    for (const [handle, lines] of this.#byHandle) for (const line of lines) yield view(handle, line);
  }

  totals(): { devices: number; deliveries: number } {
    let deliveries = 0;
    for (const lines of this.#byHandle.values()) for (const line of lines) deliveries += line.messages.length;
    return { devices: this.#byHandle.size, deliveries };
  }

  clear(): void {
    this.#byHandle.clear();
  }
}

function view(handle: string, { kind, platform, templateName, tags, messages }: Line): InboxLine {
  const counts: Record<string, number> = {};
  for (const message of messages) counts[message] = (counts[message] ?? 0) + 1;
  return { handle, platform, kind, templateName, tags: splitTags(tags), counts, total: messages.length };
}
