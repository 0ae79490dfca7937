import { type InstallationBody, isSameBody, rowsOf } from './installation-body.ts';
import type { HubKnobs } from './knobs.ts';
import { comparisonFor } from './list-order.ts';
import type { Random } from './random.ts';
import { type Description, isSame, type Row, slotOf, type Writer } from './row.ts';
import type { Scheduler } from './scheduler.ts';

/** A row that changed, as the oracle sees it. */
export interface RowChange {
  readonly hub: string;
  readonly before: Row | undefined;
  readonly after: Row | undefined;
  readonly by: Writer;
}

/** Of an installation. */
const MAX_TAGS = 60;

interface Installation {
  readonly body: InstallationBody;
  readonly rowIds: readonly string[];
}

/** The service's rules for one hub's rows and installations, as the emulator has them; a test holds the two together. */
export class HubStore {
  readonly name: string;
  readonly knobs: HubKnobs;
  /** Its writes take this many times as long while it throttles. */
  slowness = 1;
  readonly #rows = new Map<string, Row>();
  readonly #installations = new Map<string, Installation>();
  readonly #deleted = new Map<string, InstallationBody>();
  /** Whether each is there once all that was accepted has taken effect. */
  readonly #accepted = new Map<string, boolean>();
  readonly #minted = new Set<string>();
  readonly #leaving = new Set<string>();
  readonly #places = new Map<string, number>();
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #observe: (change: RowChange) => void;
  #sorted: Row[] | undefined;
  #lastEffectAt = 0;
  readonly #waiting: string[] = [];

  constructor(
    name: string,
    knobs: HubKnobs,
    parts: { scheduler: Scheduler; random: Random; observe: (change: RowChange) => void },
  ) {
    this.name = name;
    this.knobs = knobs;
    this.#scheduler = parts.scheduler;
    this.#random = parts.random;
    this.#observe = parts.observe;
  }

  /** Of accepted installation writes that have not taken effect yet, whom they are for. */
  get waiting(): readonly string[] {
    return this.#waiting;
  }

  rows(): Row[] {
    this.#expire();
    return [...this.#rows.values()];
  }

  /** Without those that the service is about to remove. */
  lastingRows(): Row[] {
    return this.rows().filter(({ id }) => !this.#leaving.has(id));
  }

  row(id: string): Row | undefined {
    this.#expire();
    return this.#rows.get(id);
  }

  rowsOfHandle(handle: string): Row[] {
    return this.rows().filter((row) => row.handle === handle);
  }

  rowsOfInstallation(installationId: string): Row[] {
    return this.rows().filter((row) => row.installationId === installationId);
  }

  /** In list order. */
  listed(): readonly Row[] {
    this.#expire();
    this.#sorted ??= [...this.#rows.values()].sort(
      comparisonFor(this.knobs.order, (row) => this.#places.get(row.id) ?? 0),
    );
    return this.#sorted;
  }

  mintId(): string {
    const digits = (): number => this.#random.between(1, 9_999_999);
    const id = `${digits()}-${digits()}-${this.#random.between(1, 3)}`;
    this.#minted.add(id);
    return id;
  }

  /** Creates or replaces; with an ETag only replaces. */
  putRegistration(id: string, given: Description, by: Writer, ifMatch?: number): 'written' | 'refused' | 'stale' {
    const before = this.row(id);
    if (ifMatch !== undefined && before?.etag !== ifMatch) return 'stale';
    if (before === undefined && this.knobs.refusesForeignIds && !this.#minted.has(id)) return 'refused';
    const isUnchanged =
      before !== undefined && before.installationId === undefined && isSame(before, this.#kept(given));
    const etag = isUnchanged && !this.knobs.unchangedRaisesEtag ? before.etag : (before?.etag ?? 0) + 1;
    this.#set(id, { ...this.#kept(given), installationId: undefined, expiresAt: this.#expiry(undefined) }, etag, by);
    return 'written';
  }

  /** Without an ETag whatever is there. */
  deleteRegistration(id: string, etag: number | undefined, by: Writer): 'gone' | 'changed' {
    const before = this.row(id);
    if (before === undefined) return 'gone';
    if (etag !== undefined && before.etag !== etag) return 'changed';
    this.#remove(id, by);
    this.#minted.add(id);
    return 'gone';
  }

  /** Accepts an installation; it takes effect some time later. */
  putInstallation(body: InstallationBody, by: Writer): 'accepted' | 'rejected' {
    if (body.tags.length > MAX_TAGS) return 'rejected';
    this.#accepted.set(body.installationId, true);
    this.#accept(body.installationId, () => this.#apply(body, by));
    return 'accepted';
  }

  /** Accepts a change of what is there once it takes effect; it is refused where there is none then, as far as was accepted. */
  patchInstallation(
    installationId: string,
    change: (body: InstallationBody) => InstallationBody,
    by: Writer,
  ): 'accepted' | 'missing' {
    if (this.#accepted.get(installationId) !== true) return 'missing';
    this.#accept(installationId, () => {
      const current = this.#installations.get(installationId);
      if (current !== undefined) this.#apply(change(current.body), by);
    });
    return 'accepted';
  }

  deleteInstallation(installationId: string, by: Writer): void {
    this.#accepted.set(installationId, false);
    this.#accept(installationId, () => {
      const current = this.#installations.get(installationId);
      if (current === undefined) return;
      for (const id of current.rowIds) if (this.#isOf(id, installationId)) this.#remove(id, by);
      this.#installations.delete(installationId);
      this.#deleted.set(installationId, current.body);
    });
  }

  /** The service itself loses a row; an installation it belongs to stays without it. */
  lose(id: string): void {
    if (this.row(id) !== undefined) this.#remove(id, { kind: 'service' });
  }

  /** The hub is deleted, and a new one of its name made. */
  wipe(): void {
    for (const id of [...this.#rows.keys()]) this.#remove(id, { kind: 'service' });
    this.#installations.clear();
    this.#deleted.clear();
    this.#accepted.clear();
    this.#minted.clear();
  }

  #accept(installationId: string, takeEffect: () => void): void {
    const [least, most] = this.knobs.installationDelayMs;
    if (most === 0) {
      takeEffect();
      return;
    }
    const own = this.#scheduler.now + this.#random.between(least, most);
    const at = this.knobs.reorders ? own : Math.max(own, this.#lastEffectAt);
    this.#lastEffectAt = Math.max(at, this.#lastEffectAt);
    this.#waiting.push(installationId);
    // One after another where they keep their order: the scheduler draws lots for one instant.
    if (!this.knobs.reorders) this.#lastEffectAt += 1;
    this.#scheduler.at(at, () => {
      this.#waiting.splice(this.#waiting.indexOf(installationId), 1);
      takeEffect();
    });
  }

  #apply(body: InstallationBody, by: Writer): void {
    const { installationId } = body;
    const current = this.#installations.get(installationId);
    const last = current?.body ?? this.#deleted.get(installationId);
    if (this.knobs.noOpPutTrap && last !== undefined && isSameBody(last, body)) return;
    this.#deleted.delete(installationId);
    const left = new Map(
      (current?.rowIds ?? []).flatMap((id) => {
        const row = this.#isOf(id, installationId) ? this.#rows.get(id) : undefined;
        return row === undefined ? [] : [[slotOf(row), row] as const];
      }),
    );
    const rowIds = rowsOf(this.#kept(body)).map((given) => {
      const before = left.get(slotOf(given));
      left.delete(slotOf(given));
      const isUnchanged = before !== undefined && isSame(before, given);
      const raises = !isUnchanged || this.knobs.unchangedInstallationRaisesEtag;
      const isReplaced = !isUnchanged && given.body !== undefined && this.knobs.replacesTemplates;
      if (before !== undefined && isReplaced) this.#removeLater(before);
      const id = isReplaced ? this.#newRowId() : (before?.id ?? this.#newRowId());
      const etag = isReplaced ? 1 : (before?.etag ?? 0) + (raises ? 1 : 0);
      this.#set(id, { ...given, expiresAt: this.#expiry(body.expiresAt) }, etag, by);
      return id;
    });
    for (const { id } of left.values()) this.#remove(id, by);
    this.#installations.set(installationId, { body, rowIds });
  }

  /** As its writer's own doing: it is part of what replaced the row. */
  #removeLater({ id, by }: Row): void {
    this.#leaving.add(id);
    this.#scheduler.after(this.#random.between(500, 120_000), () => this.#remove(id, by));
  }

  /** What the hub stores of what it is given. */
  #kept<T extends Description>(given: T): T {
    return this.knobs.dropsTags ? { ...given, tags: given.tags.slice(0, -1) } : given;
  }

  #expiry(asked: number | undefined): number | undefined {
    const { timeToLiveMs } = this.knobs;
    return asked ?? (timeToLiveMs === undefined ? undefined : this.#scheduler.now + timeToLiveMs);
  }

  #newRowId(): string {
    const id = this.mintId();
    this.#minted.delete(id);
    return id;
  }

  #isOf(id: string, installationId: string): boolean {
    return this.#rows.get(id)?.installationId === installationId;
  }

  #set(id: string, given: Description & Pick<Row, 'expiresAt'>, etag: number, by: Writer): void {
    const { platform, handle, tags, body, installationId, expiresAt } = given;
    const before = this.#rows.get(id);
    const isRewritten = before === undefined || before.etag !== etag || !isSame(before, given);
    const origin = isRewritten
      ? { appliedAt: this.#scheduler.now, by }
      : { appliedAt: before.appliedAt, by: before.by };
    const after = { platform, handle, tags, body, installationId, expiresAt, id, etag, ...origin };
    if (!this.#places.has(id)) this.#places.set(id, this.#places.size);
    this.#rows.set(id, after);
    this.#sorted = undefined;
    this.#observe({ hub: this.name, before, after, by });
  }

  #remove(id: string, by: Writer): void {
    const before = this.#rows.get(id);
    this.#rows.delete(id);
    this.#sorted = undefined;
    if (before !== undefined) this.#observe({ hub: this.name, before, after: undefined, by });
  }

  #expire(): void {
    for (const row of this.#rows.values()) {
      if (row.expiresAt !== undefined && row.expiresAt <= this.#scheduler.now)
        this.#remove(row.id, { kind: 'service' });
    }
  }
}
