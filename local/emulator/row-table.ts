import { DelayedQueue } from './delayed-queue.ts';
import { type Random, registrationId } from './random.ts';
import { expiresAtMs, type Row, type RowContent, splitTags } from './row.ts';
import { RowList } from './row-list.ts';
import { type RowOrder, rowOrder } from './row-order.ts';
import type { HubSwitches } from './switches.ts';
import type { World } from './world.ts';

/** What the parts of one hub share. */
export interface HubParts {
  readonly world: World;
  /** Namespace and hub name, from which ids and chance follow. */
  readonly scope: string;
  /** As they are now. */
  readonly switches: () => HubSwitches;
}

/** The rows of one hub, by id and by handle, and the lists of them, which may lag behind. */
export class RowTable {
  readonly byId = new Map<string, Row>();
  readonly #parts: HubParts;
  readonly #byHandle = new Map<string, Row[]>();
  /** By the tag in upper case: this is the one that a restore asks for with each installation. */
  readonly #byInstallationTag = new Map<string, Row[]>();
  readonly #listWrites: DelayedQueue;
  readonly #random: Random;
  readonly #lastEtags = new Map<string, number>();
  #order: RowOrder;
  #listed: RowList;
  #writeCount = 0;
  /** No row expires before. */
  #soonestExpiryMs = Number.POSITIVE_INFINITY;

  constructor(parts: HubParts) {
    this.#parts = parts;
    this.#listWrites = new DelayedQueue(parts.world);
    this.#random = parts.world.random(parts.scope);
    this.#order = rowOrder(parts.switches().listOrder, parts.scope);
    this.#listed = new RowList(this.#order);
  }

  /** Unique handles. */
  get deviceCount(): number {
    return this.#byHandle.size;
  }

  get listed(): RowList {
    return this.#listed;
  }

  newId(): string {
    return registrationId(this.#random);
  }

  handles(): Iterable<string> {
    return this.#byHandle.keys();
  }

  ofHandle(handle: string): readonly Row[] {
    return this.#byHandle.get(handle) ?? [];
  }

  /** Those with that tag of an installation, as `$InstallationId:{…}`. */
  ofInstallationTag(tag: string): readonly Row[] {
    return this.#byInstallationTag.get(tag.toUpperCase()) ?? [];
  }

  /** Adds a row under a new id. */
  add(content: RowContent): Row {
    return this.put({ ...content, id: this.newId(), etag: 1 });
  }

  /** The ETag of the next version of the row with this id. */
  nextEtag(id: string): number {
    return (this.byId.get(id)?.etag ?? this.#lastEtags.get(id) ?? 0) + 1;
  }

  /** Puts a row in place of the one with its id. */
  put(given: Row): Row {
    const current = this.byId.get(given.id);
    this.#writeCount += 1;
    const row = placed(given, current?.inserted ?? this.#writeCount, this.#writeCount);
    if (current !== undefined) this.#unindex(current);
    this.byId.set(row.id, row);
    index(this.#byHandle, row.handle, row);
    for (const tag of installationTags(row)) index(this.#byInstallationTag, tag, row);
    this.#soonestExpiryMs = Math.min(this.#soonestExpiryMs, expiresAtMs(row));
    if (current !== undefined && this.#order(current, row) !== 0) {
      this.#unlist(current, this.#parts.switches().oldRowListedMs);
    }
    this.#later(row, 0, () => this.#listed.put(row));
    return row;
  }

  remove(id: string): void {
    const current = this.byId.get(id);
    if (current === undefined) return;
    this.#unindex(current);
    this.byId.delete(id);
    if (!this.#parts.switches().etagRestarts) this.#lastEtags.set(id, current.etag);
    this.#unlist(current, 0);
  }

  /** Whether lists have yet to learn of a write. */
  get isLagging(): boolean {
    return this.#listWrites.length > 0;
  }

  inListOrder(rows: Iterable<Row>): Iterable<Row> {
    return [...rows].sort(this.#order);
  }

  /** Lists from now on in the order that the switches say. */
  reorder(): void {
    const rows = this.#listed.from();
    this.#order = rowOrder(this.#parts.switches().listOrder, this.#parts.scope);
    this.#listed = new RowList(this.#order);
    for (const row of rows) this.#listed.put(row);
  }

  /** The lists show every write, now. */
  settle(): void {
    this.#listWrites.flush();
  }

  /** Rows that expired at that time or before; looks through all of them only when one may be due. */
  expiredBy(atMs: number): readonly Row[] {
    if (this.#soonestExpiryMs > atMs) return [];
    const expired: Row[] = [];
    this.#soonestExpiryMs = Number.POSITIVE_INFINITY;
    for (const row of this.byId.values()) {
      const expiryMs = expiresAtMs(row);
      if (expiryMs <= atMs) expired.push(row);
      else this.#soonestExpiryMs = Math.min(this.#soonestExpiryMs, expiryMs);
    }
    return expired;
  }

  #unlist(row: Row, afterMs: number): void {
    this.#later(row, afterMs, () => this.#listed.remove(row));
  }

  /** What is done to the list about one version of a row stays in order. */
  #later({ id, etag }: Row, afterMs: number, run: () => void): void {
    const { registrationReadLagMs, delaySpeed } = this.#parts.switches();
    const delayMs = (registrationReadLagMs + afterMs) / delaySpeed;
    if (delayMs === 0 && !this.isLagging) run();
    else this.#listWrites.push(`${id};${etag}`, delayMs, 'kept', run);
  }

  #unindex(row: Row): void {
    unindex(this.#byHandle, row.handle, row);
    for (const tag of installationTags(row)) unindex(this.#byInstallationTag, tag, row);
  }
}

function index(rows: Map<string, Row[]>, key: string, row: Row): void {
  const same = rows.get(key);
  if (same === undefined) rows.set(key, [row]);
  else same.push(row);
}

function unindex(rows: Map<string, Row[]>, key: string, row: Row): void {
  const rest = (rows.get(key) ?? []).filter(({ id }) => id !== row.id);
  if (rest.length === 0) rows.delete(key);
  else rows.set(key, rest);
}

/** A plain row may carry such a tag, too. */
function installationTags({ tags }: Row): readonly string[] {
  return /\$InstallationId:/i.test(tags)
    ? splitTags(tags.toUpperCase()).filter((tag) => INSTALLATION_TAG.test(tag))
    : [];
}

export const INSTALLATION_TAG = /^\$InstallationId:\{.*\}$/is;

/** Field by field, so that all rows have one shape: a hub may have millions. */
function placed(given: Row, inserted: number, updated: number): Row {
  const { id, etag, platform, isTemplate, templateName, handle, tags, expiresAt, installationId, content } = given;
  return {
    id,
    etag,
    platform,
    isTemplate,
    templateName,
    handle,
    tags,
    expiresAt,
    installationId,
    content,
    inserted,
    updated,
  };
}
