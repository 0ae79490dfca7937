import type { RestoreCounts, RestoreRun, Run } from '../../../src/core/run/run.ts';
import type { Description, Looked, Row } from '../row.ts';

/** What the oracle knows of one run, beside what is stored of it. */
export interface KnownRun {
  readonly id: string;
  /** As last stored; its times are those of its hosts. */
  doc: Run;
  /** When it was first stored. */
  readonly begunAt: number;
  /** Who asked for it typed back the name of its hub. */
  readonly isConfirmed: boolean;
  readonly isSync: boolean;
  readonly isDrill: boolean;
  /** When its newest listing of each hub began; after a `#`, that of a pass. */
  readonly listedAt: Map<string, number>;
  /** When its first listing of the hub it is about began. */
  firstListedAt: number | undefined;
  /** Versions of rows that a page, or the answer to a question, has shown it. */
  readonly seen: Set<string>;
  /** By its hub and what a row is written to, when it was shown, and when asked for. */
  readonly shownAt: Map<string, number[]>;
  readonly shownByListingAt: Map<string, number[]>;
  readonly askedAt: Map<string, number[]>;
  /** The rows of that hub at that moment. */
  before: readonly Row[];
  /** Devices of which the service was about to remove a row then. */
  leaving: ReadonlySet<number>;
  /** When it was first stored as over. */
  endedAt: number | undefined;
  /** Hubs that have not answered a call of its steps. */
  readonly silent: Set<string>;
  /** How often the hub took a write, by the key written to. */
  readonly written: Map<string, number>;
  /** The kinds of these writes, each with its key, and its last pass: two records may have one id in turn. */
  readonly calls: Map<string, number>;
  /** Likewise, what was written twice in one pass: by a step, and by one that took over. */
  readonly repeats: Set<string>;
  /** Likewise, what the hub carried out when no step could wait for it any more. */
  readonly givenUp: Set<string>;
  /** Records that its steps had begun when their process died, or froze, or could not store their end. */
  readonly begun: Set<string>;
  /** By key what it sent to its hub without an answer, or with a wrong one: whether the hub took it, it cannot know. */
  readonly unanswered: Set<string>;
  /** The handles that its writes have replaced by others, under one id. */
  readonly replaced: Set<string>;
  /** Devices over whose word a failback put what the restore before had left in its source. */
  readonly wonAsLeft: Set<number>;
  /** The records of which it has changed a row, under whatever id. */
  readonly changed: Set<string>;
  /** The devices of which it has removed a row. */
  readonly removed: Set<number>;
  /** Of these, the devices whose own word it removed in the window of the write. */
  readonly removedInWindow: Set<number>;
  /** The devices that its hub held as its snapshot does when it ended. */
  readonly inPlace: Set<number>;
  /** Names of records that its hub fails at, and that were not in place when it ended. */
  readonly unplaced: Set<string>;
  /** By it, or by an import job that it had asked for. */
  lastSentAt: number;
  lastSentByItselfAt: number;
  /** Of the hub's changes, how many there were when its first listing began. */
  changesBefore: number;
}

export type KnownRestore = KnownRun & { readonly doc: RestoreRun };

export class KnownRuns {
  readonly #runs = new Map<string, KnownRun>();

  get(id: string): KnownRun | undefined {
    return this.#runs.get(id);
  }

  all(): KnownRun[] {
    return [...this.#runs.values()];
  }

  /** A run's document was stored; gives what is known of it. */
  store(doc: Run, now: number, confirm: string | undefined): KnownRun {
    const known = this.#runs.get(doc.id);
    if (known !== undefined) {
      known.doc = doc;
      return known;
    }
    const run: KnownRun = {
      id: doc.id,
      doc,
      begunAt: now,
      isConfirmed: doc.requestedBy === 'http' && confirm === `${doc.hub.namespace}/${doc.hub.hub}`,
      isSync: doc.kind === 'restore' && doc.request.purpose === 'sync',
      isDrill: doc.kind === 'restore' && doc.request.target === 'drill',
      listedAt: new Map(),
      firstListedAt: undefined,
      seen: new Set(),
      shownAt: new Map(),
      shownByListingAt: new Map(),
      askedAt: new Map(),
      before: [],
      leaving: new Set(),
      endedAt: undefined,
      silent: new Set(),
      written: new Map(),
      calls: new Map(),
      repeats: new Set(),
      givenUp: new Set(),
      begun: new Set(),
      unanswered: new Set(),
      replaced: new Set(),
      wonAsLeft: new Set(),
      changed: new Set(),
      removed: new Set(),
      removedInWindow: new Set(),
      inPlace: new Set(),
      unplaced: new Set(),
      lastSentAt: 0,
      lastSentByItselfAt: 0,
      changesBefore: 0,
    };
    this.#runs.set(doc.id, run);
    return run;
  }
}

export function isRestore(run: KnownRun): run is KnownRestore {
  return run.doc.kind === 'restore';
}

/** The simulation's hubs are told apart by their namespaces. */
export function hubOf({ doc }: Pick<KnownRun, 'doc'>): string {
  return doc.hub.namespace;
}

/** Writes to its hub, or may. */
export function isWriter({ doc }: KnownRun): boolean {
  return doc.kind === 'restore' && !doc.request.dryRun;
}

/** Outcomes that a write brings about. */
const WRITTEN = ['created', 'updated', 'renewed', 'moved', 'withdrawn', 'removed', 'putBack'] as const;

/** How many records a run says it has changed. */
export function claimsOf(counts: RestoreCounts): number {
  return WRITTEN.reduce((sum, outcome) => sum + counts[outcome], 0);
}

/** What tells one version of a row from all others. */
export function versionOf(hub: string, { id, etag }: Pick<Row, 'id' | 'etag'>): string {
  return `${hub}/${id} ${etag}`;
}

/** What the app calls a record: an installation, or a plain registration's device. */
export function recordOf({ installationId, platform, handle }: Description): string {
  return installationId ?? `${platform} ${handle}`;
}

/** By which a row is written to: its own id, or its installation's. */
export function keyOf({ id, installationId }: Pick<Row, 'id' | 'installationId'>): string {
  return installationId ?? id;
}

/** What a run knew of what lives there when it sent a write. */
export function lookedBefore(run: KnownRun, hub: string, key: string, pass: number, sentAt: number): Looked {
  const listedAt = run.listedAt.get(`${hub}#${pass}`) ?? 0;
  const isOfPass = (at: number): boolean => at >= listedAt && at <= sentAt;
  return {
    listedAt,
    askedAt: run.askedAt.get(`${hub}/${key}`)?.findLast(isOfPass),
    isShown: run.shownAt.get(`${hub}/${key}`)?.some(isOfPass) === true,
  };
}

/** When its newest listing of its hub began. */
export function lookedAt(run: KnownRun): number {
  return run.listedAt.get(hubOf(run)) ?? 0;
}
