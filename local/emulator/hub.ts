import { DelayedQueue } from './delayed-queue.ts';
import { derive, handleOfInstallation, type Installation, readStored, renderInstallation } from './installation.ts';
import { applyPatch, type PatchOperation } from './installation-patch.ts';
import { type Random, registrationId, seededRandom, seedOf } from './random.ts';
import { isExpired, type Row, type RowContent, splitTags, toRowContent } from './row.ts';
import { RowList } from './row-list.ts';
import { type Push, Sender } from './sends.ts';
import { ServiceError } from './service-error.ts';
import { defaultSwitches, type HubSwitches } from './switches.ts';
import { type Bucket, takeToken } from './token-bucket.ts';

/** An installation and the registrations derived from it. */
export interface StoredInstallation {
  /** What a GET answers. */
  readonly json: string;
  readonly derived: readonly { readonly key: string; readonly id: string }[];
}

/** The rows and installations of one hub, and the service's rules for changing them. Knows no HTTP. */
export class Hub {
  readonly name: string;
  readonly createdAt = new Date();
  readonly sender: Sender;
  readonly rows = new Map<string, Row>();
  readonly installations = new Map<string, StoredInstallation>();
  /** How often each answer was given, by `METHOD /route status`. */
  readonly requests = new Map<string, number>();
  switches: HubSwitches;
  /** Accepted installation writes that turned out impossible later; invisible to the client. */
  droppedWriteCount = 0;
  /** Calls refused by the hub's rate. */
  throttledCount = 0;

  readonly #listed = new RowList();
  readonly #byHandle = new Map<string, Row[]>();
  readonly #mintedIds = new Set<string>();
  readonly #deletedInstallations = new Map<string, string>();
  readonly #installationWrites = new DelayedQueue();
  readonly #listWrites = new DelayedQueue();
  #bucket: Bucket | undefined;
  readonly #random: Random;
  readonly #hasRoom: () => boolean;

  /**
   * @param scope namespace and hub name, from which ids follow.
   * @param hasRoom whether the namespace takes one more device.
   * @param push the push services behind the hub.
   */
  constructor(
    name: string,
    scope: string,
    hasRoom: () => boolean,
    switches: Partial<HubSwitches> = {},
    push: (push: Push) => void = () => {},
  ) {
    this.name = name;
    this.switches = { ...defaultSwitches, ...switches };
    this.#random = seededRandom(seedOf(scope));
    this.#hasRoom = hasRoom;
    this.sender = new Sender(this, push);
  }

  /** Unique handles: what the tier's limit counts. */
  get deviceCount(): number {
    return this.#byHandle.size;
  }

  get pendingWriteCount(): number {
    return this.#installationWrites.length;
  }

  /** Takes one call at the hub's rate: 0, or the milliseconds until there is room for the next. */
  admit(nowMs: number): number {
    if (this.switches.requestsPerSecond === 0) {
      this.#bucket = undefined;
      return 0;
    }
    const { bucket, waitMs } = takeToken(this.#bucket, this.switches, nowMs);
    this.#bucket = bucket;
    if (waitMs > 0) this.throttledCount += 1;
    return waitMs;
  }

  handles(): Iterable<string> {
    return this.#byHandle.keys();
  }

  rowsOfHandle(handle: string): readonly Row[] {
    return this.#byHandle.get(handle) ?? [];
  }

  /** Rows in list order, as far as the lists know them already. */
  listed(offset = 0): Iterable<Row> {
    return this.#listed.from(offset);
  }

  offsetAfter(key: Pick<Row, 'platform' | 'id'>): number {
    return this.#listed.offsetAfter(key);
  }

  /** Rows that carry the tag, in list order; an installation's own tag is looked up, any other is searched for. */
  *listedWithTag(tag: string): Iterable<Row> {
    const wanted = tag.toUpperCase();
    const installationId = /^\$InstallationId:\{(.*)\}$/is.exec(tag)?.[1];
    const installation = installationId === undefined ? undefined : this.installations.get(installationId);
    const candidates = installation === undefined ? this.listed() : this.#listedRows(installation);
    for (const row of candidates) {
      if (splitTags(row.tags).some((each) => each.toUpperCase() === wanted)) yield row;
    }
  }

  mintId(): string {
    const id = registrationId(this.#random);
    this.#mintedIds.add(id);
    return id;
  }

  /** @throws ServiceError 403 over the quota. */
  createRegistration(content: RowContent): Row {
    return this.#write(registrationId(this.#random), content);
  }

  /**
   * Creates or replaces; with an ETag only replaces.
   * @throws ServiceError 404 or 412 for a condition not met, 410 for an id this hub refuses, 403 over the quota.
   */
  putRegistration(id: string, content: RowContent, ifMatch: string | undefined): Row {
    const current = this.rows.get(id);
    if (ifMatch !== undefined) requireMatch(current, ifMatch);
    if (current === undefined && !this.switches.acceptForeignIds && !this.#mintedIds.has(id)) {
      throw new ServiceError(410, 'The registration id cannot be used. Request another one.');
    }
    return this.#write(id, content);
  }

  /** @throws ServiceError 404 or 412. */
  deleteRegistration(id: string, ifMatch: string | undefined): void {
    requireMatch(this.rows.get(id), ifMatch ?? '*');
    this.removeRow(id);
    this.#mintedIds.add(id);
  }

  /**
   * Accepts a PUT; it takes effect after `installationDelayMs`.
   * @throws ServiceError 403 over the quota.
   */
  putInstallation(installation: Installation): void {
    this.#requireRoom(handleOfInstallation(installation));
    this.#queueInstallationWrite(() => this.applyInstallation(installation));
  }

  /**
   * Accepts a patch; one whose outcome is no valid installation is dropped later without a word.
   * @throws ServiceError 404 when there is no such installation and no write waiting that might bring it.
   */
  patchInstallation(installationId: string, operations: readonly PatchOperation[]): void {
    if (!this.installations.has(installationId) && this.pendingWriteCount === 0) {
      throw new ServiceError(404, 'Installation not found');
    }
    this.#queueInstallationWrite(() => {
      const current = this.installations.get(installationId);
      if (current === undefined) throw new ServiceError(404, 'Installation not found');
      this.applyInstallation(applyPatch(readStored(current.json), operations));
    });
  }

  /** Deleting what does not exist is no fault. */
  deleteInstallation(installationId: string): void {
    this.#queueInstallationWrite(() => this.removeInstallation(installationId));
  }

  /** Puts an installation and its registrations in place now. */
  applyInstallation(installation: Installation): void {
    const { installationId, expirationTime: expiresAt } = installation;
    const json = renderInstallation(installation);
    const current = this.installations.get(installationId);
    const lastJson = current?.json ?? this.#deletedInstallations.get(installationId);
    if (this.switches.noOpPutTrap && lastJson === json) return;
    const oldIds = new Map(current?.derived.map(({ key, id }) => [key, id]));
    const derived = derive(installation).map(({ key, description }) => {
      const content = toRowContent(description, { installationId, expiresAt });
      const id = this.#writeDerived(oldIds.get(key), content);
      oldIds.delete(key);
      return { key, id };
    });
    this.#removeDerived(installationId, oldIds.values());
    this.installations.set(installationId, { json, derived });
    this.#deletedInstallations.delete(installationId);
  }

  removeInstallation(installationId: string): void {
    const current = this.installations.get(installationId);
    if (current === undefined) return;
    const ids = current.derived.map(({ id }) => id);
    this.#removeDerived(installationId, ids);
    this.installations.delete(installationId);
    if (this.switches.noOpPutTrap) this.#deletedInstallations.set(installationId, current.json);
  }

  /** Adds a registration past every rule; for seeding. */
  addRow(content: RowContent): string {
    const id = registrationId(this.#random);
    this.setRow({ ...content, id, etag: 1 });
    return id;
  }

  /** Puts a row in place of the one with its id, past every rule. */
  setRow(row: Row): void {
    const current = this.rows.get(row.id);
    if (current !== undefined) this.#unindex(current);
    this.rows.set(row.id, row);
    const sameHandle = this.#byHandle.get(row.handle);
    if (sameHandle === undefined) this.#byHandle.set(row.handle, [row]);
    else sameHandle.push(row);
    this.#listWrites.push(this.switches.registrationReadLagMs, () => {
      if (current !== undefined && current.platform !== row.platform) this.#listed.remove(current);
      this.#listed.put(row);
    });
  }

  removeRow(id: string): void {
    const current = this.rows.get(id);
    if (current === undefined) return;
    this.#unindex(current);
    this.rows.delete(id);
    this.#listWrites.push(this.switches.registrationReadLagMs, () => this.#listed.remove(current));
  }

  /** All accepted writes take effect and show in lists, now. */
  settle(): void {
    this.#installationWrites.flush();
    this.#listWrites.flush();
  }

  /** Deletes what has expired, as the service does some time after; gives how many rows went. */
  purgeExpired(): number {
    const expired = [...this.rows.values()].filter((row) => isExpired(row, Date.now()));
    for (const { id, installationId } of expired) {
      this.removeRow(id);
      if (installationId !== undefined) this.installations.delete(installationId);
    }
    return expired.length;
  }

  #requireRoom(handle: string): void {
    if (!this.switches.enforceDeviceQuota || this.#byHandle.has(handle) || this.#hasRoom()) return;
    throw new ServiceError(403, 'The namespace has reached the number of active devices that its tier allows');
  }

  #write(id: string, content: RowContent): Row {
    this.#requireRoom(content.handle);
    const row = { ...content, id, etag: (this.rows.get(id)?.etag ?? 0) + 1 };
    this.setRow(row);
    this.#mintedIds.delete(id);
    return row;
  }

  /** Keeps the row when nothing changed. A row that is gone, or was taken over by a plain PUT, gets a successor. */
  #writeDerived(oldId: string | undefined, content: RowContent): string {
    const old = oldId === undefined ? undefined : this.rows.get(oldId);
    if (old === undefined || old.installationId !== content.installationId) {
      return this.addRow(content);
    }
    const isSame =
      old.content === content.content &&
      old.tags === content.tags &&
      old.platform === content.platform &&
      old.expiresAt === content.expiresAt;
    if (!isSame) this.setRow({ ...content, id: old.id, etag: old.etag + 1 });
    return old.id;
  }

  #removeDerived(installationId: string, ids: Iterable<string>): void {
    for (const id of ids) if (this.rows.get(id)?.installationId === installationId) this.removeRow(id);
  }

  #queueInstallationWrite(write: () => void): void {
    this.#installationWrites.push(this.switches.installationDelayMs, () => {
      try {
        write();
      } catch (error) {
        // The client got its 200 long ago: the service drops such a write without a trace, and so do we, but count it.
        if (!(error instanceof ServiceError)) throw error;
        this.droppedWriteCount += 1;
      }
    });
  }

  *#listedRows(installation: StoredInstallation): Iterable<Row> {
    const rows = new RowList();
    for (const { id } of installation.derived) {
      const row = this.rows.get(id);
      const listed = row === undefined ? undefined : this.#listed.find(row);
      if (listed !== undefined) rows.put(listed);
    }
    yield* rows.from();
  }

  #unindex(row: Row): void {
    const rest = this.#byHandle.get(row.handle)?.filter(({ id }) => id !== row.id) ?? [];
    if (rest.length === 0) this.#byHandle.delete(row.handle);
    else this.#byHandle.set(row.handle, rest);
  }
}

function requireMatch(current: Row | undefined, ifMatch: string): void {
  if (current === undefined) throw new ServiceError(404, '');
  const wanted = ifMatch.replace(/^W\//, '').replaceAll('"', '');
  if (wanted !== '*' && wanted !== String(current.etag)) {
    throw new ServiceError(412, 'The supplied ETag does not match the registration.');
  }
}
