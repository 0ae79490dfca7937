import { derive, parseInstallation } from '../../local/emulator/installation.ts';
import { toRowContent } from '../../local/emulator/row.ts';
import { atom, renderDescription, seconds } from '../../local/emulator/xml-out.ts';
import { escapeAttribute } from '../../local/emulator/xml-text.ts';
import { ByteStore } from './byte-store.ts';
import { RowStore, type StoredRow } from './row-store.ts';

/** One request to a hub, its path taken apart. */
export interface HubRoute {
  readonly method: string;
  /** First part of the path below the hub, in lower case. */
  readonly resource: string;
  /** Second part, decoded; empty when there is none. */
  readonly key: string;
  /** `http://host:port`, as the client wrote it. */
  readonly origin: string;
  /** As sent, without the query. */
  readonly path: string;
  /** As sent, with its `?`, or empty. */
  readonly query: string;
}

export interface Answer {
  readonly status: number;
  /** Lines, each ended. */
  readonly headers?: string;
  readonly body?: Buffer | string;
}

const METADATA = 'http://schemas.microsoft.com/ado/2007/08/dataservices/metadata';
const PAGE_SIZE = 100;
const NEVER = '9999-12-31T23:59:59.9999999Z';

interface Pending {
  readonly id: string;
  /** Where it is kept. */
  readonly place: number;
  readonly sizeBytes: number;
}

/**
 * One hub as far as a backup and a restore need it, in the recorded answers of 2022.
 *
 * The rows of an installation are not made while its PUT is answered but by `settle`, which the server calls when it has
 * nothing else to do. The real service does that work on processors of its own; done at once it would add a third to
 * what a PUT costs here, taken from the client that is measured. It cannot hide in a restore's time either: between
 * writing and verifying lies the restore's own wait, which no speed shortens. What is not done when a listing comes is
 * done before its answer, and counted; the report shows it.
 */
export class FastHub {
  readonly #name: string;
  readonly #rows = new RowStore();
  readonly #bodies = new ByteStore();
  readonly #installations = new Map<string, readonly string[]>();
  #pending: Pending[] = [];
  #settledCount = 0;
  #mintedCount = 0;
  #requestCount = 0;
  #putCount = 0;
  #lateCount = 0;

  constructor(name: string) {
    this.#name = name;
  }

  seed(id: string, xml: string): void {
    this.#rows.add(id, 1, xml);
  }

  stats() {
    while (this.settle());
    return {
      rowCount: this.#rows.size,
      requestCount: this.#requestCount,
      putCount: this.#putCount,
      lateCount: this.#lateCount,
    };
  }

  /** Makes the rows of the installation that has waited longest; false when none waits. Throws when it is invalid. */
  settle(): boolean {
    const pending = this.#pending[this.#settledCount];
    if (pending === undefined) {
      if (this.#settledCount > 0) this.#pending = [];
      this.#settledCount = 0;
      return false;
    }
    this.#settledCount += 1;
    this.#makeRows(pending.id, this.#bodies.at(pending.place, pending.sizeBytes).toString());
    return true;
  }

  answer(route: HubRoute, body: Buffer): Answer {
    const { method, resource, key, origin } = route;
    this.#requestCount += 1;
    switch (`${method} ${resource}${key === '' ? '' : '/{}'}`) {
      case 'GET registrations':
        return this.#list(route);
      case 'POST registrations':
        return this.#putRegistration(this.#mintId(), body.toString(), route);
      case 'PUT registrations/{}':
        return this.#putRegistration(key, body.toString(), route);
      case 'POST registrationids': {
        const host = origin.replace(/^http:/, 'https:');
        return { status: 201, headers: `Location: ${host}/${this.#name}/registrationids/${this.#mintId()}\r\n` };
      }
      case 'PUT installations/{}':
        this.#putCount += 1;
        this.#pending.push({ id: key, place: this.#bodies.keep(body), sizeBytes: body.length });
        return { status: 200, headers: 'Content-Type: application/xml; charset=utf-8\r\n' };
      case 'GET tags/{}':
        return this.#listByTag(route);
      case 'GET feedbackcontainer':
        return { status: 200 };
      default:
        return { status: 404 };
    }
  }

  #list(route: HubRoute): Answer {
    while (this.settle()) this.#lateCount += 1;
    const asked = new URLSearchParams(route.query);
    const top = Math.min(PAGE_SIZE, Number(asked.get('$top') ?? PAGE_SIZE));
    const { rows, nextOffset } = this.#rows.page(offsetOf(asked.get('continuationtoken')), top);
    const token =
      nextOffset === undefined ? undefined : encodeURIComponent(Buffer.from(`31(n);${nextOffset}`).toString('base64'));
    return this.#feed(rows, token, route);
  }

  /** Of the tags only the one that an installation's rows have is known. */
  #listByTag(route: HubRoute): Answer {
    while (this.settle()) this.#lateCount += 1;
    const [, installationId = ''] = /^\$InstallationId:\{(.+)\}$/.exec(route.key) ?? [];
    const ids = this.#installations.get(installationId) ?? [];
    return this.#feed(
      ids.flatMap((id) => this.#rows.get(id) ?? []),
      undefined,
      route,
    );
  }

  #feed(rows: readonly StoredRow[], token: string | undefined, route: HubRoute): Answer {
    const collection = escapeAttribute(`${route.origin}/${this.#name}/registrations`);
    const query = escapeAttribute(route.query);
    const now = seconds(new Date());
    const link = `${collection}?continuationtoken=${encodeURIComponent(token ?? '')}`;
    const next = token === undefined ? '' : `<link rel="next" href="${link}"/>`;
    const head = `<feed xmlns="${atom}"><title type="text">Registrations</title><id>${collection}${query}</id><updated>${now}</updated><link rel="self" href="${collection}${query}"/>${next}`;
    const page: (string | Buffer)[] = [head];
    for (const { id, etag, description } of rows) {
      page.push(entryHead({ id, etag, now, self: `${collection}/${id}${query}`, xmlns: '' }), description, ENTRY_END);
    }
    page.push('</feed>');
    const header = token === undefined ? '' : `x-ms-continuationtoken: ${token}\r\n`;
    return {
      status: 200,
      headers: `Content-Type: application/atom+xml; type=feed; charset=utf-8\r\n${header}`,
      body: joined(page),
    };
  }

  #putRegistration(id: string, body: string, { origin, path, query }: HubRoute): Answer {
    this.#putCount += 1;
    const description = /<content[^>]*>(.*)<\/content>/s.exec(body)?.[1];
    const root = /^\s*<(\w+RegistrationDescription)\b[^>]*>/.exec(description ?? '');
    if (description === undefined || root === null) return { status: 400 };
    const etag = this.#rows.etagOf(id) + 1;
    const own = `<ETag>${etag}</ETag><ExpirationTime>${NEVER}</ExpirationTime><RegistrationId>${id}</RegistrationId>`;
    const xml = `${root[0]}${own}${description.slice(root[0].length)}`;
    this.#rows.put(id, etag, xml);
    const self = escapeAttribute(`${origin}${path}${query}`);
    const now = seconds(new Date());
    return {
      status: 200,
      headers: `Content-Type: application/atom+xml; type=entry; charset=utf-8\r\nETag: W/"${etag}"\r\nContent-Location: ${self}\r\n`,
      body: `${entryHead({ id, etag, now, self, xmlns: ` xmlns="${atom}"` })}${xml}${ENTRY_END}`,
    };
  }

  /** As the emulator derives them. */
  #makeRows(installationId: string, body: string): void {
    const installation = parseInstallation(installationId, JSON.parse(body));
    const oldIds = [...(this.#installations.get(installationId) ?? [])];
    const ids = derive(installation).map(({ description }) => {
      const id = oldIds.shift() ?? this.#mintId();
      const content = toRowContent(description, { installationId, expiresAt: installation.expirationTime });
      const etag = this.#rows.etagOf(id) + 1;
      this.#rows.put(id, etag, renderDescription({ ...content, id, etag }, 2022));
      return id;
    });
    for (const id of oldIds) this.#rows.remove(id);
    this.#installations.set(installationId, ids);
  }

  #mintId(): string {
    this.#mintedCount += 1;
    return `${7_000_000_000_000_000_000n + BigInt(this.#mintedCount)}-1-1`;
  }
}

interface Entry {
  readonly id: string;
  readonly etag: number;
  readonly now: string;
  readonly self: string;
  /** The default namespace, where no feed around the entry gives it. */
  readonly xmlns: string;
}

const ENTRY_END = '</content></entry>';

function entryHead({ id, etag, now, self, xmlns }: Entry): string {
  return `<entry a:etag="W/&quot;${etag}&quot;"${xmlns} xmlns:a="${METADATA}"><id>${self}</id><title type="text">${id}</title><published>${now}</published><updated>${now}</updated><link rel="self" href="${self}"/><content type="application/xml">`;
}

let scratch = Buffer.alloc(0);

/** Texts (ASCII) and bytes as one buffer. They are collected in one place, so that each page is allocated once, whole. */
function joined(pieces: readonly (string | Buffer)[]): Buffer {
  const sizeBytes = pieces.reduce((sum, { length }) => sum + length, 0);
  if (scratch.length < sizeBytes) scratch = Buffer.allocUnsafeSlow(2 * sizeBytes);
  let used = 0;
  for (const piece of pieces) {
    used += typeof piece === 'string' ? scratch.write(piece, used, 'latin1') : piece.copy(scratch, used);
  }
  return Buffer.from(scratch.subarray(0, used));
}

/** As it came in the header or, from the JavaScript SDK, encoded once more; none is the start. */
function offsetOf(token: string | null): number {
  const text = Buffer.from((token ?? '').replaceAll(/%3d/gi, '='), 'base64').toString();
  return Number(/^31\(n\);(\d+)$/.exec(text)?.[1] ?? 0);
}
