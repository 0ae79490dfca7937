import { type Row, splitTags } from './row.ts';

/** What one device got through rows that look alike (same kind, template and tags). */
export interface InboxLine {
  readonly handle: string;
  readonly platform: string;
  /** `direct`: addressed by handle, through no row. */
  readonly kind: 'native' | 'template' | 'direct';
  readonly templateName: string;
  readonly tags: readonly string[];
  /** Deliveries by message. */
  readonly counts: Readonly<Record<string, number>>;
  readonly total: number;
}

/** One device's view of all it got. */
export interface Inbox {
  readonly handle: string;
  readonly total: number;
  readonly lines: readonly InboxLine[];
}

interface Line {
  readonly kind: InboxLine['kind'];
  readonly platform: string;
  readonly templateName: string;
  readonly tags: string;
  /** A message stands here once for every delivery of it. */
  readonly messages: string[];
}

/** The push services and devices behind a hub: every handle's deliveries, which outlive the row they came through. */
export class Inboxes {
  readonly #byHandle = new Map<string, Line[]>();

  deliver(row: Row, message: string): void {
    const kind = row.isTemplate ? 'template' : 'native';
    this.#add(row.handle, { kind, platform: row.platform, templateName: row.templateName, tags: row.tags }, message);
  }

  deliverDirect(handle: string, platform: string, message: string): void {
    this.#add(handle, { kind: 'direct', platform, templateName: '', tags: '' }, message);
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

  #add(handle: string, key: Omit<Line, 'messages'>, message: string): void {
    const lines = this.#byHandle.get(handle);
    const line = lines?.find(
      ({ kind, platform, templateName, tags }) =>
        kind === key.kind && platform === key.platform && templateName === key.templateName && tags === key.tags,
    );
    if (line !== undefined) line.messages.push(message);
    else if (lines !== undefined) lines.push({ ...key, messages: [message] });
    else this.#byHandle.set(handle, [{ ...key, messages: [message] }]);
  }
}

function view(handle: string, { kind, platform, templateName, tags, messages }: Line): InboxLine {
  const counts: Record<string, number> = {};
  for (const message of messages) counts[message] = (counts[message] ?? 0) + 1;
  return { handle, platform, kind, templateName, tags: splitTags(tags), counts, total: messages.length };
}
