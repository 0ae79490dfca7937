import type { Drill } from '../../../src/core/readiness/drill.ts';
import type { Stored } from '../storage.ts';
import type { Facts } from './facts.ts';
import type { KnownRun } from './runs.ts';

interface Snapshot {
  readonly id: string;
  readonly hub: string;
  readonly folder: string;
  readonly isGood: boolean;
  /** When its manifest was removed, unless it is there again. */
  removedAt?: number | undefined;
  /** Since when a shard of it is not as it was written. */
  damagedAt?: number;
  /** Its shards began to go. */
  isGone: boolean;
}

/** Purposes of restores that bring back all that a snapshot holds. */
const WHOLE: ReadonlySet<string> = new Set(['restore', 'sync', 'drill']);

/** Judges what becomes of snapshots beside the runs: what must stay does, and what went is restored by none. */
export class Kept {
  readonly #facts: Facts;
  readonly #snapshots = new Map<string, Snapshot>();
  /** By an answered call, and not asked to be unpinned since. */
  readonly #pinned = new Set<string>();
  readonly #drills = new Map<string, { readonly drill: Drill; readonly begunAt: number }>();

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  published(): string[] {
    return [...this.#snapshots.values()].filter(({ isGone }) => !isGone).map(({ id }) => id);
  }

  folderOf(id: string): string {
    return this.#snapshots.get(id)?.folder ?? id;
  }

  isNewest(id: string): boolean {
    return this.published().at(-1) === id;
  }

  /** A restore of it ended before it had looked, or may yet. */
  isOwed(id: string): boolean {
    return this.#facts.runs
      .all()
      .some(({ doc }) => doc.kind === 'restore' && doc.status !== 'Succeeded' && doc.request.snapshotId === id);
  }

  pinned(id: string): void {
    this.#pinned.add(id);
    if (this.#isThere(id)) return;
    this.#facts.violate('pinnedWhatIsGone', id);
  }

  unpinned(id: string): void {
    this.#pinned.delete(id);
  }

  deleted(id: string): void {
    if (this.#isThere(id)) this.#facts.violate('deletedAndThere', id);
  }

  damaged(id: string): void {
    const snapshot = this.#snapshots.get(id);
    if (snapshot !== undefined) snapshot.damagedAt ??= this.#facts.now;
  }

  drillStored(drill: Drill): void {
    const begunAt = this.#drills.get(drill.id)?.begunAt ?? this.#facts.now;
    this.#drills.set(drill.id, { drill, begunAt });
  }

  /** A blob of a snapshot was written, or removed. */
  stored(name: string, after: Stored | undefined): void {
    const [, hub = '', id = '', file = ''] = /^([^/]+)\/[^/]+\/snapshots\/([^/]+)\/(.+)$/.exec(name) ?? [];
    const known = this.#snapshots.get(id);
    if (file === 'manifest.json' && after !== undefined) {
      const { health } = JSON.parse(Buffer.from(after.bytes).toString('utf8'));
      if (known === undefined)
        this.#snapshots.set(id, {
          id,
          hub,
          folder: name.slice(0, -file.length),
          isGood: health === 'good',
          isGone: false,
        });
      else {
        known.removedAt = undefined;
        this.#facts.sometimes('manifestPutBack');
      }
    } else if (file === 'manifest.json' && known !== undefined) known.removedAt = this.#facts.now;
    else if (file.startsWith('shards/') && after === undefined) this.#shardRemoved(id, known);
  }

  #shardRemoved(id: string, snapshot: Snapshot | undefined): void {
    const { runs, now, sometimes } = this.#facts;
    const violate = (kind: string, text: string): void => this.#facts.violate(kind, text);
    if (snapshot?.isGone === true) return;
    const removedAt = snapshot?.removedAt ?? now;
    const isUsing = (run: KnownRun): boolean =>
      run.endedAt === undefined && run.begunAt < removedAt && snapshotOf(run) === id;
    const user = runs.all().find(isUsing);
    if (user !== undefined) violate('removedInUse', `${id}, by ${user.id}`);
    if (snapshot === undefined) return;
    snapshot.isGone = true;
    sometimes('snapshotRemoved');
    if (snapshot.removedAt === undefined) violate('removedBeforeItsManifest', id);
    if (this.#pinned.has(id)) violate('removedPinned', id);
    for (const { drill, begunAt } of this.#drills.values()) {
      if (drill.stage !== 'over' && drill.snapshotId === id && begunAt < removedAt)
        violate('removedInUse', `${id}, by drill ${drill.id}`);
    }
    const isOther = (one: Snapshot): boolean => one.isGood && one.hub === snapshot.hub && this.#isThere(one.id);
    if (snapshot.isGood && ![...this.#snapshots.values()].some(isOther)) violate('removedTheLastGood', id);
  }

  /** A run is over. */
  judge({ id, doc, begunAt }: KnownRun): void {
    const snapshot = this.#snapshots.get(snapshotOf({ doc }));
    if (snapshot === undefined) return;
    const wasDamaged = snapshot.damagedAt !== undefined && snapshot.damagedAt < begunAt;
    if (doc.kind === 'verification') this.#judgeVerification({ id, doc }, snapshot, wasDamaged);
    if (doc.kind !== 'restore' || doc.status !== 'Succeeded' || doc.request.dryRun) return;
    const { purpose, only } = doc.request;
    if (!WHOLE.has(purpose)) return;
    if (!this.#isThere(snapshot.id)) this.#facts.violate('restoredRemoved', `${snapshot.id} by ${id}`);
    if (wasDamaged && only === undefined) this.#facts.violate('restoredDamaged', `${snapshot.id} by ${id}`);
  }

  #judgeVerification({ id, doc }: Pick<KnownRun, 'id' | 'doc'>, snapshot: Snapshot, wasDamaged: boolean): void {
    if (doc.kind !== 'verification') return;
    const { verified = 0, total = 0 } = doc.result?.counts ?? {};
    const text = `${snapshot.id} by ${id}: ${verified} of ${total}`;
    if (doc.status === 'Succeeded' && (wasDamaged || verified !== total)) this.#facts.violate('verifiedDamaged', text);
    if (doc.error?.code === 'SnapshotCorrupt' && snapshot.damagedAt === undefined)
      this.#facts.violate('foundNoDamage', text);
  }

  /** What is pinned is there at the end, with all of its shards. */
  end(): void {
    for (const id of this.#pinned) if (!this.#isThere(id)) this.#facts.violate('lostPinned', id);
    for (const { id, hub, isGood, isGone, removedAt } of this.#snapshots.values()) {
      const isLast = ![...this.#snapshots.values()].some(
        (one) => one.isGood && one.hub === hub && this.#isThere(one.id),
      );
      if (isGood && isLast && (isGone || removedAt !== undefined)) this.#facts.violate('lostTheLastGood', id);
    }
  }

  #isThere(id: string): boolean {
    const snapshot = this.#snapshots.get(id);
    return snapshot !== undefined && !snapshot.isGone && snapshot.removedAt === undefined;
  }
}

function snapshotOf({ doc }: Pick<KnownRun, 'doc'>): string {
  if (doc.kind === 'backup') return doc.id;
  return doc.kind === 'restore' ? doc.request.snapshotId : doc.snapshotId;
}
