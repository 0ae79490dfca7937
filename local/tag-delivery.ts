import { z } from 'zod';
import { byIdentity, type HubRow, only } from './delivery.ts';
import type { EmulatorHandle } from './emulator-handle.ts';

/** Whom pushes to tags should have reached, and whom they did: pairs of device and tag. */
export interface TagVerdict {
  readonly tags: number;
  readonly expected: number;
  readonly once: number;
  readonly never: number;
  readonly moreThanOnce: number;
  /** Devices that do not have the tag, or no longer. */
  readonly toOthers: number;
}

const inboxLineSchema = z.object({ handle: z.string(), counts: z.record(z.string(), z.number()) });

/** Each tag costs a walk through the hub for each format. */
const MOST_TAGS = 2000;
/** In a large hub all of them would take longer than a call may. */
const TAGS_AT_ONCE = 100;

/** The tags of what changed between two looks at a hub, those that rows lost among them. */
export function tagsOfChanges(before: readonly HubRow[], after: readonly HubRow[]): string[] {
  const [then, now] = [byIdentity(before), byIdentity(after)];
  const changed = [...only(then, now), ...only(now, then)];
  const tags = new Set(changed.flatMap((row) => row.tags.map((tag) => tag.toUpperCase())));
  // The others cannot be named in a tag expression.
  return [...tags].filter((tag) => /^\$\w+:\{[^}]*\}$|^[^\s|&!()]+$/.test(tag)).slice(0, MOST_TAGS);
}

/** Pushes to each of the tags, and compares whom that reached with whom these rows say. */
export async function pushToTags(
  emulator: EmulatorHandle,
  hub: string,
  rows: readonly HubRow[],
  tags: readonly string[],
): Promise<TagVerdict> {
  const wanted = wantedPushes(rows, new Set(tags));
  await emulator.admin('POST', `${hub}/clear-inboxes`);
  for (let at = 0; at < tags.length; at += TAGS_AT_ONCE) {
    await emulator.admin('POST', `${hub}/push`, { tags: tags.slice(at, at + TAGS_AT_ONCE) });
  }
  const got = new Map<string, number>();
  for await (const line of emulator.adminLines(`${hub}/inboxes`)) {
    const { handle, counts } = inboxLineSchema.parse(line);
    for (const [tag, count] of Object.entries(counts)) add(got, `${tag} ${handle}`, count);
  }
  const pairs = [...wanted].map(([pair, count]) => Math.sign((got.get(pair) ?? 0) - count));
  return {
    tags: tags.length,
    expected: wanted.size,
    once: pairs.filter((sign) => sign === 0).length,
    never: pairs.filter((sign) => sign < 0).length,
    moreThanOnce: pairs.filter((sign) => sign > 0).length,
    toOthers: [...got.keys()].filter((pair) => !wanted.has(pair)).length,
  };
}

/** By tag and device: how many rows of it a push to the tag goes to. */
function wantedPushes(rows: readonly HubRow[], tags: ReadonlySet<string>): Map<string, number> {
  const wanted = new Map<string, number>();
  for (const row of byIdentity(rows).values()) {
    for (const tag of new Set(row.tags.map((one) => one.toUpperCase()))) {
      if (tags.has(tag)) add(wanted, `${tag} ${row.handle}`, 1);
    }
  }
  return wanted;
}

function add(counts: Map<string, number>, key: string, more: number): void {
  counts.set(key, (counts.get(key) ?? 0) + more);
}
