import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sha256Hex } from '../../src/app/stored/codec.ts';
import type { StoredDocument } from '../../src/app/stored/document.ts';
import { documents, numberBlobs } from '../../src/app/stored/documents.ts';
import { checksummed, digestOfNumbers, indented } from '../../src/app/stored/envelopes.ts';
import { DrError } from '../../src/core/errors.ts';
import type { Blobs } from '../../src/core/ports.ts';
import type { Run } from '../../src/core/run/run.ts';
import { addDigest } from '../../src/core/snapshot/manifest.ts';
import { newScanCheckpoint } from '../../src/core/snapshot/scan-checkpoint.ts';
import { realWorld as world } from '../../src/world.ts';
import { createMemoryBlobs } from '../support/memory-blobs.ts';
import { aBackupRun } from '../support/runs.ts';

type Kind = keyof typeof documents | keyof typeof numberBlobs;

/** One kind with a value of it. A kind that is missing here does not compile. */
interface Sample {
  readonly value: object;
  readonly write: (blobs: Blobs, name: string) => Promise<unknown>;
  readonly read: (blobs: Blobs, name: string) => Promise<object>;
}

function of<T extends object>(document: StoredDocument<T>, value: T): Sample {
  return {
    value,
    write: (blobs, name) => document.write({ blobs, world }, name, value, 'any'),
    read: (blobs, name) => document.read({ blobs, world }, name),
  };
}

const at = '2026-11-23T09:00:00.000Z';
const hub = { namespace: 'one', hub: 'devices' };
const counts = {
  records: 1,
  installations: 0,
  registrations: 1,
  templates: 0,
  byPlatform: { Apple: 1 },
  duplicates: 0,
  devices: 1,
};
const shard = { name: 'shards/0000.jsonl.gz', records: 1, registrations: 1, bytes: 10, sha256: 'a'.repeat(64) };
const run: Run = { ...aBackupRun, shardCount: 4, deviceCount: 1 };
const manifest = addDigest(
  {
    id: run.id,
    hub,
    readStartedAt: at,
    readFinishedAt: at,
    publishedAt: at,
    counts,
    duplicatesSeen: 0,
    unreadableRows: 0,
    listingRestarts: 0,
    health: 'good',
    healthReasons: [],
    toolVersion: '0.1.0',
    shards: [shard],
  },
  sha256Hex,
);
const message = {
  id: 'BackupFailed-1',
  state: 'open',
  code: 'BackupFailed',
  severity: 'critical',
  message: 'The backup failed.',
  hub: 'one/devices',
  at,
} as const;
const numbers = Float64Array.of(0, 1, 2, 3);
const outcomes = {
  isDone: false,
  letters: '.cu=krgxf-CUR!awl?d',
  extraCount: 2,
  onlyInTarget: 4,
  absenceVoid: 1,
  superseded: 2,
  partialInstallations: 3,
  added: [{ index: 2, rows: [0] }],
  rewritten: [2],
  partly: [{ index: 3, done: 7, mark: 9 }],
  shown: [4],
  duplicatesCollapsed: 0,
  repaired: 0,
  takenBack: 0,
  changedSince: 0,
  altered: 0,
  unconfirmed: 0,
  tooEarly: 0,
  lostMilliseconds: 0,
  inPlace: [[1000, 4]] satisfies [number, number][],
  writesForMs: 1000,
  writesUntil: 1000,
  failures: [{ index: 8, code: 'Rejected' as const, status: 400 }],
};

const cleanUp = {
  ...{ id: run.id, by: 'http' as const, askedBy: 'ada', startedAt: at, finishedAt: at, isPreview: false },
  ...{ hub: 'one/devices', standby: 'two/devices', due: 3, removed: 1, renewed: 1, held: 'time' as const, bound: 20 },
  read: {
    ...{ files: 1, verdicts: 9, dead: 4, renewed: 1, credentials: 1, passing: 1, unreadable: 1, ahead: 1, circles: 0 },
    state: 'Completed',
  },
  marks: { waiting: 1, alive: 1, removed: 1, unproven: 1 },
  bursts: [{ platform: 'Apple', count: 30, most: 20, from: at }],
};

const samples: Readonly<Record<Kind, Sample>> = {
  run: of(documents.run, run),
  lock: of(documents.lock, { runId: run.id, takenAt: at }),
  scan: of(documents.scan, newScanCheckpoint(at, 1)),
  scanRowCount: of(documents.scanRowCount, { rowCount: 7 }),
  export: of(documents.export, {
    ...{ state: 'written', container: `dr-export-${run.id}`, askedAt: at, jobId: '1', progress: 40, movedAt: at },
    file: { name: 'a//b/1/Output.txt', sizeBytes: 3 },
    reason: 'It failed.',
  }),
  import: of(documents.import, {
    ...{ state: 'ended', container: 'dr-import-1-0-0-1', hasIds: true, askedAt: at, submittedAt: at, jobId: '1' },
    ...{
      progress: 40,
      movedAt: at,
      revokedAt: at,
      lookedAfter: 1,
      lines: [[0, 0]],
      made: ['1-2-3'],
      refusals: { a: 1 },
    },
  }),
  openImports: of(documents.openImports, { runId: run.id }),
  snapshotShard: of(documents.snapshotShard, { shard, counts, duplicatesSeen: 0 }),
  manifest: of(documents.manifest, manifest),
  audit: of(documents.audit, {
    ...{ at, what: 'startRestore', method: 'POST', path: '/api/restores', name: 'ada', from: '127.0.0.1', key: 'a1' },
    answer: { status: 202, runId: run.id },
  }),
  erased: of(documents.erased, { key: 'a'.repeat(66), erasures: [{ kind: 'tag', hash: 'a'.repeat(64), at }] }),
  latest: of(documents.latest, { snapshotId: run.id, digest: manifest.digest }),
  soundShard: of(documents.soundShard, {}),
  damagedShard: of(documents.damagedShard, { name: shard.name, code: 'SnapshotCorrupt', message: 'It is damaged.' }),
  undo: of(documents.undo, { records: [{ key: 'd:apple:0A', rows: ['<a/>'], isDisplaced: false }] }),
  baseline: of(documents.baseline, { current: { runId: run.id, shardCount: 4, at }, unfinished: ['drill-1'] }),
  restoredShard: of(documents.restoredShard, outcomes),
  journal: of(documents.journal, { seen: [[0, 11, 12]], rewritten: [1], altered: [[0, 13]] }),
  idMap: of(documents.idMap, { ids: { '1-1-1': ['2-2-2', '3-3-3'] } }),
  pace: of(documents.pace, { runId: run.id, basis: 'restore', recordsPerSecond: 12.5, at }),
  role: of(documents.role, {
    ...{ active: hub, standby: { ...hub, hub: 'other' }, since: at },
    declared: { at, by: 'operator', note: 'moved', primary: hub },
    history: [{ hub, since: at, by: 'operator', note: 'moved' }],
  }),
  intent: of(documents.intent, {
    device: { kind: 'installation', id: 'one' },
    state: { kind: 'patch', operations: [{ op: 'add', path: '/tags', value: 'a' }] },
    ...{ at, quietUntil: at, confirmed: ['one/devices'], keyHash: 12 },
    refused: [{ hub: 'two/devices', status: 400, at }],
    before: [{ kind: 'put', body: '{}' }, { kind: 'delete' }],
  }),
  otherIds: of(documents.otherIds, { ids: { 'one/devices': '1-1-1' }, of: '2-2-2' }),
  lag: of(documents.lag, { waiting: 1, refused: 2, oldestAt: at, at }),
  feedbackMarks: of(documents.feedbackMarks, {
    marks: [
      { hash: 'a'.repeat(64), platform: 'Apple', handle: '0A', installationId: 'one', at: 1, state: 'open' },
      { hash: 'b'.repeat(64), platform: 'Apple', at: 1, look: { at: 2, active: null, standby: 3 }, state: 'removed' },
    ],
  }),
  feedbackState: of(documents.feedbackState, {
    running: { id: run.id, at },
    files: { 'one/devices': [{ name: '11292026', etag: '"1"', read: 12, tail: 'a'.repeat(64) }] },
    last: cleanUp,
    failure: { code: 'HubUnavailable', message: 'It did not answer.', since: at },
  }),
  feedbackRun: of(documents.feedbackRun, {
    ...cleanUp,
    items: [{ kind: 'installation', id: 'one', platform: 'Apple', deadAt: at, outcome: 'removed' }],
  }),
  empty: of(documents.empty, { at }),
  seen: of(documents.seen, { runId: run.id, devices: 12, rows: 15, at }),
  drill: of(documents.drill, {
    formatVersion: 1,
    id: run.id,
    requestedBy: 'http',
    createdAt: at,
    snapshotId: run.id,
    stage: 'over',
    stageSince: at,
  }),
  newestDrill: of(documents.newestDrill, { id: run.id, at }),
  alert: of(documents.alert, { state: 'open', opening: message, unsent: [message], changedAt: at }),
  readinessCard: of(documents.readinessCard, {
    judgedAt: at,
    secondary: hub,
    standby: {
      synced: { hub, runId: run.id, snapshotId: run.id, readAt: at, at, failed: 0, different: 1, records: 9 },
      changedBy: { hub, runId: 'r1', at },
      stopped: { runId: run.id, message: 'Too many.' },
      outOfStepSince: at,
    },
    passedOver: [],
    backups: [run],
    openAlerts: [],
  }),
  fingerprints: of(numberBlobs.fingerprints, {
    title: { of: shard.sha256, sha256: digestOfNumbers(numbers), platforms: ['Apple'] },
    numbers,
  }),
  comparison: of(numberBlobs.comparison, { title: { extraCount: 0 }, numbers: Float64Array.of(-1, 1, 5) }),
  foreignRows: of(numberBlobs.foreignRows, { title: {}, numbers: Float64Array.of(1, 2, 3, 0) }),
  confirmed: of(numberBlobs.confirmed, { title: {}, numbers: Float64Array.of(1, 2) }),
  baselineShard: of(numberBlobs.baselineShard, { title: {}, numbers: Float64Array.of(1, 2, 3, 4) }),
};
const kinds = Object.entries(samples);

/** What a kind's format does not show: its reader compares the content with what it expects, or the content is no proof. */
const blindTo: Readonly<Partial<Record<string, readonly Damage[]>>> = {
  lock: ['flipped', 'renamed', 'of another version'],
  manifest: ['renamed'],
  // They have no version, and zstd reads one frame and no further.
  fingerprints: ['of another version', 'extended'],
  comparison: ['of another version', 'extended'],
  foreignRows: ['of another version', 'extended'],
  baselineShard: ['of another version', 'extended'],
  confirmed: ['of another version', 'extended'],
};

const damages = [
  'missing',
  'emptied',
  'truncated',
  'flipped',
  'extended',
  'replaced',
  'renamed',
  'of another version',
] as const;
type Damage = (typeof damages)[number];

const NAME = 'one/devices/document';
const OTHER = 'one/devices/other';

test.each(kinds)('a document of the kind %s is read as it was written', async (_, { value, write, read }) => {
  const blobs = createMemoryBlobs();
  await write(blobs, NAME);
  expect(await read(blobs, NAME)).toEqual(value);
});

test('a damaged document of any kind is refused by the one error, which names it', async () => {
  const seen = new Set<string>();
  const cases = fc.record({
    kind: fc.constantFrom(...kinds),
    other: fc.constantFrom(...kinds),
    damage: fc.constantFrom(...damages),
    position: fc.nat(),
    bit: fc.nat({ max: 7 }),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ kind: [kind, sample], other, damage, position, bit }) => {
      if (damage === 'replaced' && blobOf(other[0]) === blobOf(kind)) return;
      const blobs = createMemoryBlobs();
      await sample.write(blobs, NAME);
      const bytes = (await blobs.get(NAME))?.bytes ?? new Uint8Array();
      await strike(blobs, bytes, { damage, at: position % bytes.length, bit, kind, sample, other: other[1] });
      const answer = await sample.read(blobs, NAME).catch((error: unknown) => error);
      if (answer instanceof DrError) {
        seen.add(`${kind} ${damage}`);
        expect(answer.target).toBe(NAME);
        expect(answer.code).toMatch(codeOf(kind, damage));
        expect(answer.message).toMatch(new RegExp(`^The [a-z ]+ ${NAME} .+\\. [A-Z].+\\.?$`));
        return;
      }
      if (kind === 'lock' && blindTo[kind]?.includes(damage)) return;
      // A bit that says nothing: white space, or of the header of what is compressed.
      expect([kind, damage, answer]).toEqual([kind, damage, sample.value]);
      expect(['manifest', 'import', 'journal', 'undo', 'feedbackMarks', ...Object.keys(numberBlobs)]).toContain(kind);
    }),
    { numRuns: 4000 },
  );
  const wanted = kinds.flatMap(([kind]) =>
    damages.filter((damage) => !blindTo[kind]?.includes(damage)).map((damage) => `${kind} ${damage}`),
  );
  expect(wanted.filter((one) => !seen.has(one))).toEqual([]);
});

function codeOf(kind: string, damage: Damage): RegExp {
  if (kind !== 'manifest') return /^StoredDocumentInvalid$/;
  if (damage === 'of another version') return /^SnapshotVersionUnknown$/;
  // What takes its place may have a version of its own, and so may a version of which one bit changed.
  return damage === 'replaced' || damage === 'flipped' ? /^Snapshot(?:Corrupt|VersionUnknown)$/ : /^SnapshotCorrupt$/;
}

/** Two kinds read the same blob. */
function blobOf(kind: string): string {
  return kind === 'scanRowCount' ? 'scan' : kind;
}

interface Strike {
  readonly damage: Damage;
  readonly at: number;
  readonly bit: number;
  readonly kind: string;
  readonly sample: Sample;
  readonly other: Sample;
}

async function strike(blobs: Blobs, bytes: Uint8Array, { damage, at: position, bit, kind, sample, other }: Strike) {
  const put = (changed: Uint8Array) => blobs.put(NAME, changed, 'any');
  switch (damage) {
    case 'missing':
      return blobs.remove(NAME);
    case 'emptied':
      return put(new Uint8Array());
    case 'truncated':
      return put(bytes.slice(0, kind === 'manifest' ? Math.min(position, bytes.length - 2) : position));
    case 'flipped':
      return put(bytes.with(position, (bytes[position] ?? 0) ^ (1 << bit)));
    case 'extended':
      return put(Buffer.concat([bytes, bytes]));
    case 'replaced':
      return other.write(blobs, NAME);
    case 'renamed':
      await sample.write(blobs, OTHER);
      return put((await blobs.get(OTHER))?.bytes ?? new Uint8Array());
    case 'of another version': {
      const newer = { ...sample.value, formatVersion: 99 };
      const changed = (kind === 'manifest' ? indented : checksummed).wrap(NAME, newer);
      return put(kind === 'journal' ? await world.gzip(changed) : changed);
    }
    default:
      return damage satisfies never;
  }
}
