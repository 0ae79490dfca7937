import { z } from 'zod';
import type { EmulatorHandle } from './emulator-handle.ts';

/** The fields of a row that a drill reads from the admin endpoint. */
const rowSchema = z.object({
  platform: z.string(),
  isTemplate: z.boolean(),
  templateName: z.string(),
  handle: z.string(),
  tags: z.array(z.string()),
  installationId: z.string().nullish(),
  expiresAt: z.string().nullable(),
});

const inboxLineSchema = z.object({
  handle: z.string(),
  platform: z.string(),
  kind: z.enum(['native', 'template', 'direct']),
  templateName: z.string(),
  tags: z.array(z.string()),
  total: z.number(),
});

export type HubRow = z.infer<typeof rowSchema>;

export interface Verdict {
  readonly expected: number;
  readonly once: number;
  readonly never: number;
  readonly moreThanOnce: number;
  /** Devices that got the message and should not have. */
  readonly unexpected: number;
}

/** A device that was not reached exactly once, without its handle and tags. */
export interface MissedDevice {
  readonly fault: 'never' | 'moreThanOnce' | 'unexpected';
  readonly platform: string;
  /** Of its rows in the snapshot and live ones; `none` for a device that is in neither. */
  readonly record: 'installation' | 'plain' | 'both' | 'none';
  readonly snapshotRows: number;
  readonly liveRows: number;
  /** Deliveries expected and received. */
  readonly expected: number;
  readonly received: number;
  /** It changed between the two backups. */
  readonly isChurned: boolean;
}

export async function readRows(emulator: EmulatorHandle, hub: string): Promise<HubRow[]> {
  const rows: HubRow[] = [];
  for await (const line of emulator.adminLines(`${hub}/rows`)) rows.push(rowSchema.parse(line));
  return rows;
}

/**
 * Which devices a broadcast should have reached, and which it reached. A device counts as reached once when each of its rows was
 * delivered to exactly once; rows of one device equal in kind, template and tags are one. Where a record lives in both
 * hubs, what is live counts. `onMissed` is called for each device that was not.
 */
export async function judgeDelivery(
  emulator: EmulatorHandle,
  hub: string,
  snapshotRows: readonly HubRow[],
  liveRows: readonly HubRow[],
  onMissed: (device: MissedDevice) => void = () => {},
): Promise<Verdict> {
  const wanted = expectedLines(snapshotRows, liveRows);
  const got = new Map<string, Map<string, number>>();
  for await (const line of emulator.adminLines(`${hub}/inboxes`)) {
    const { handle, platform, kind, templateName, tags, total } = inboxLineSchema.parse(line);
    const lines = got.get(handle) ?? new Map<string, number>();
    lines.set(rowLabel({ platform, isTemplate: kind === 'template', templateName, tags }), total);
    got.set(handle, lines);
  }
  let once = 0;
  let never = 0;
  let moreThanOnce = 0;
  for (const [handle, lines] of wanted) {
    const received = got.get(handle) ?? new Map<string, number>();
    const surplus = [...received].some(([line, total]) => total > (lines.get(line) ?? 0));
    const isMissed = [...lines].some(([line, total]) => (received.get(line) ?? 0) < total);
    if (surplus) moreThanOnce += 1;
    else if (isMissed) never += 1;
    else once += 1;
    if (!surplus && !isMissed) continue;
    onMissed(describe(handle, surplus ? 'moreThanOnce' : 'never', { snapshotRows, liveRows, lines, received }));
  }
  const unexpected = [...got].filter(([handle]) => !wanted.has(handle));
  for (const [handle, received] of unexpected) {
    onMissed(describe(handle, 'unexpected', { snapshotRows, liveRows, lines: new Map(), received }));
  }
  return { expected: wanted.size, once, never, moreThanOnce, unexpected: unexpected.length };
}

function describe(
  handle: string,
  fault: MissedDevice['fault'],
  seen: {
    readonly snapshotRows: readonly HubRow[];
    readonly liveRows: readonly HubRow[];
    readonly lines: ReadonlyMap<string, number>;
    readonly received: ReadonlyMap<string, number>;
  },
): MissedDevice {
  const inSnapshot = seen.snapshotRows.filter((row) => row.handle === handle);
  const live = seen.liveRows.filter((row) => row.handle === handle);
  const rows = [...inSnapshot, ...live];
  const kinds = new Set(rows.map((row) => (row.installationId ? 'installation' : 'plain')));
  const [kind = 'none'] = kinds;
  const sum = (lines: ReadonlyMap<string, number>) => [...lines.values()].reduce((total, one) => total + one, 0);
  return {
    fault,
    platform: rows[0]?.platform ?? 'unknown',
    record: kinds.size > 1 ? 'both' : kind,
    snapshotRows: inSnapshot.length,
    liveRows: live.length,
    expected: sum(seen.lines),
    received: sum(seen.received),
    isChurned: inSnapshot.some((row) => row.tags.some((tag) => tag.startsWith('churned:'))),
  };
}

/** By device: how many deliveries each kind of row should have received. */
function expectedLines(snapshotRows: readonly HubRow[], liveRows: readonly HubRow[]): Map<string, Map<string, number>> {
  const liveKeys = new Set(liveRows.map(recordKey));
  const expected = new Map<string, Map<string, number>>();
  // The restore leaves live rows alone.
  const restored = snapshotRows.filter((row) => !liveKeys.has(recordKey(row)));
  for (const row of [...liveRows, ...byIdentity(restored).values()]) {
    const lines = expected.get(row.handle) ?? new Map<string, number>();
    lines.set(rowLabel(row), (lines.get(rowLabel(row)) ?? 0) + 1);
    expected.set(row.handle, lines);
  }
  return expected;
}

/** Equal rows of one device are one: a restore collapses them. */
export function byIdentity(rows: readonly HubRow[]): Map<string, HubRow> {
  return new Map(rows.map((row) => [`${recordKey(row)} ${rowLabel(row)}`, row]));
}

/** Those of which the others hold no equal. */
export function only(rows: ReadonlyMap<string, HubRow>, others: ReadonlyMap<string, unknown>): HubRow[] {
  return [...rows].flatMap(([identity, row]) => (others.has(identity) ? [] : [row]));
}

function recordKey(row: HubRow): string {
  return row.installationId ? `i:${row.installationId}` : `d:${row.platform}:${row.handle}`;
}

function rowLabel({
  platform,
  isTemplate,
  templateName,
  tags,
}: Pick<HubRow, 'platform' | 'isTemplate' | 'templateName' | 'tags'>) {
  return JSON.stringify([platform, isTemplate, templateName, tags.map((tag) => tag.toLowerCase()).sort()]);
}
