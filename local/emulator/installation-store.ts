import { DelayedQueue } from './delayed-queue.ts';
import { derive, handleOfInstallation, type Installation, readStored, renderInstallation } from './installation.ts';
import { applyPatch, type PatchOperation } from './installation-patch.ts';
import type { Keeper } from './keeper.ts';
import type { Random } from './random.ts';
import { isSameContent, type RowContent, toRowContent } from './row.ts';
import type { HubParts, RowTable } from './row-table.ts';
import { ServiceError } from './service-error.ts';
import { requireTagRoom } from './tags.ts';

/** An installation and the registrations derived from it. */
export interface StoredInstallation {
  /** What a GET answers. */
  readonly json: string;
  /** What was written, in the same form. */
  readonly sentJson: string;
  readonly expiresAt: string | undefined;
  readonly derived: readonly { readonly key: string; readonly id: string }[];
}

/** The installations of one hub, and the writes to them that were accepted and wait. */
export class InstallationStore {
  readonly byId = new Map<string, StoredInstallation>();
  /** Accepted writes that turned out impossible later; invisible to the client. */
  droppedWriteCount = 0;
  readonly #parts: HubParts;
  readonly #rows: RowTable;
  readonly #keeper: Keeper;
  readonly #deleted = new Map<string, string>();
  readonly #writes: DelayedQueue;
  readonly #random: Random;
  readonly #requireRoom: (handle: string) => void;

  /** @param requireRoom throws a ServiceError when the namespace takes no device more. */
  constructor(parts: HubParts, rows: RowTable, keeper: Keeper, requireRoom: (handle: string) => void) {
    this.#requireRoom = requireRoom;
    this.#parts = parts;
    this.#rows = rows;
    this.#keeper = keeper;
    this.#writes = new DelayedQueue(parts.world);
    this.#random = parts.world.random(`${parts.scope}#delays`);
  }

  get pendingWriteCount(): number {
    return this.#writes.length;
  }

  queuePut(installation: Installation): void {
    this.#queue(installation.installationId, () => {
      if (this.#parts.switches().quotaMet === 'applied') this.#requireRoom(handleOfInstallation(installation));
      this.apply(installation);
    });
  }

  /** @throws ServiceError 404 when there is no such installation and no write waiting that might bring it. */
  queuePatch(installationId: string, operations: readonly PatchOperation[]): void {
    if (!this.byId.has(installationId) && !this.#writes.isWaiting(installationId)) throw absent();
    this.#queue(installationId, () => {
      const current = this.byId.get(installationId);
      if (current === undefined) throw absent();
      const patched = applyPatch(readStored(current.json), operations);
      requireTagRoom(patched.tags, this.#parts.switches());
      this.apply(patched);
    });
  }

  queueDelete(installationId: string): void {
    this.#queue(installationId, () => this.remove(installationId));
  }

  /** Puts an installation and its registrations in place now. */
  apply(sent: Installation): void {
    this.dropExpired();
    const { installationId } = sent;
    const switches = this.#parts.switches();
    const sentJson = renderInstallation(sent);
    const current = this.byId.get(installationId);
    if (switches.noOpPutTrap && (current?.sentJson ?? this.#deleted.get(installationId)) === sentJson) return;
    const isRewritten = current?.sentJson !== sentJson || switches.unchangedInstallationRaisesEtag;
    const altered = this.#keeper.installation(sent);
    const expiresAt = isRewritten ? altered.expirationTime : current?.expiresAt;
    const oldIds = new Map(current?.derived.map(({ key, id }) => [key, id]));
    const derived = derive(altered, switches.nativeTileRows).map(({ key, description }) => {
      const id = this.#write(oldIds.get(key), toRowContent(description, { installationId, expiresAt }));
      oldIds.delete(key);
      return { key, id };
    });
    this.#removeDerived(installationId, oldIds.values());
    const isAsSent = altered === sent && expiresAt === sent.expirationTime;
    const json = isAsSent ? sentJson : renderInstallation({ ...altered, expirationTime: expiresAt });
    this.byId.set(installationId, { json, sentJson, expiresAt, derived });
    this.#deleted.delete(installationId);
  }

  remove(installationId: string): void {
    const current = this.byId.get(installationId);
    if (current === undefined) return;
    const { deleteLeavesRow } = this.#parts.switches();
    const ids = current.derived.flatMap(({ key, id }) => (deleteLeavesRow && key === 'native' ? [] : [id]));
    this.#removeDerived(installationId, ids);
    this.byId.delete(installationId);
    if (this.#parts.switches().noOpPutTrap) this.#deleted.set(installationId, current.sentJson);
  }

  /** All accepted writes take effect, now. */
  settle(): void {
    this.#writes.flush();
  }

  /** Deletes what has been expired for longer than it stays. */
  dropExpired(): void {
    const { expiredStayMs } = this.#parts.switches();
    if (expiredStayMs !== null) this.purge(this.#parts.world.now() - expiredStayMs);
  }

  /** Deletes rows that expired at that time or before, with their installations; gives how many rows went. */
  purge(expiredByMs: number): number {
    const expired = this.#rows.expiredBy(expiredByMs);
    for (const { id, installationId } of expired) {
      this.#rows.remove(id);
      if (installationId !== undefined) this.byId.delete(installationId);
    }
    return expired.length;
  }

  /** Keeps the row when nothing changed. A row that is gone, or was taken over by a plain PUT, gets a successor. */
  #write(oldId: string | undefined, content: RowContent): string {
    const old = oldId === undefined ? undefined : this.#rows.byId.get(oldId);
    if (old === undefined || old.installationId !== content.installationId) return this.#rows.add(content).id;
    const isSame = isSameContent(old, content) && old.expiresAt === content.expiresAt;
    if (!isSame || this.#parts.switches().unchangedInstallationRaisesEtag) {
      this.#rows.put({ ...content, id: old.id, etag: old.etag + 1 });
    }
    return old.id;
  }

  #removeDerived(installationId: string, ids: Iterable<string>): void {
    for (const id of ids) if (this.#rows.byId.get(id)?.installationId === installationId) this.#rows.remove(id);
  }

  #queue(installationId: string, write: () => void): void {
    const { installationDelayMs, installationDelaySpreadMs, installationOrder, delaySpeed } = this.#parts.switches();
    const delayMs = (installationDelayMs + installationDelaySpreadMs * this.#random()) / delaySpeed;
    this.#writes.push(installationId, delayMs, installationOrder, () => {
      try {
        write();
      } catch (error) {
        // The client got its 200 long ago: the service drops such a write without a trace, and so do we, but count it.
        if (!(error instanceof ServiceError)) throw error;
        this.droppedWriteCount += 1;
      }
    });
  }
}

function absent(): ServiceError {
  return new ServiceError(404, 'Installation not found');
}
