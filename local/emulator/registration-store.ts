import type { Keeper } from './keeper.ts';
import { isSameContent, type Row, type RowContent } from './row.ts';
import type { HubParts, RowTable } from './row-table.ts';
import { ServiceError } from './service-error.ts';

/** The service's rules for registrations that clients write one by one. */
export class RegistrationStore {
  readonly #parts: HubParts;
  readonly #rows: RowTable;
  readonly #keeper: Keeper;
  readonly #mintedIds = new Set<string>();

  constructor(parts: HubParts, rows: RowTable, keeper: Keeper) {
    this.#parts = parts;
    this.#rows = rows;
    this.#keeper = keeper;
  }

  mintId(): string {
    const id = this.#rows.newId();
    this.#mintedIds.add(id);
    return id;
  }

  /** @throws ServiceError 404 or 412 for a condition not met, 410 for an id this hub refuses. */
  requireWritable(id: string, ifMatch: string | undefined): void {
    const { acceptForeignIds } = this.#parts.switches();
    if (ifMatch !== undefined) this.#requireMatch(id, ifMatch);
    if (!this.#rows.byId.has(id) && !acceptForeignIds && !this.#mintedIds.has(id)) {
      throw new ServiceError(410, 'The registration id cannot be used. Request another one.');
    }
  }

  put(id: string, sent: RowContent): Row {
    const content = this.#keeper.content(sent);
    const current = this.#rows.byId.get(id);
    const keepsEtag =
      current !== undefined && !this.#parts.switches().unchangedPutRaisesEtag && isSameContent(current, content);
    this.#mintedIds.delete(id);
    return this.#rows.put({ ...content, id, etag: keepsEtag ? current.etag : this.#rows.nextEtag(id) });
  }

  /** @throws ServiceError 404 or 412. */
  remove(id: string, ifMatch: string): void {
    this.#requireMatch(id, ifMatch);
    if (!this.#rows.byId.has(id)) throw new ServiceError(404, '');
    this.#rows.remove(id);
    this.#mintedIds.add(id);
  }

  #requireMatch(id: string, ifMatch: string): void {
    const { honourIfMatch, absentMatchStatus } = this.#parts.switches();
    if (!honourIfMatch) return;
    const current = this.#rows.byId.get(id);
    if (current === undefined) throw new ServiceError(absentMatchStatus, '');
    const wanted = ifMatch.replace(/^W\//, '').replaceAll('"', '');
    if (wanted !== '*' && wanted !== String(current.etag)) {
      throw new ServiceError(412, 'The supplied ETag does not match the registration.');
    }
  }
}
