import { derive, parseInstallation } from '../../local/emulator/installation.ts';
import { toRowContent } from '../../local/emulator/row.ts';
import { atom, renderDescription, seconds } from '../../local/emulator/xml-out.ts';
import { escapeAttribute } from '../../local/emulator/xml-text.ts';
import { RowStore } from './row-store.ts';

/** One request to a hub, its path taken apart. */
export interface HubRoute {
  readonly method: string;
  /** First part of the path below the hub, in lower case. */
  readonly resource: string;
  /** Second part, decoded; empty when there is none. */
  readonly key: string;
  readonly url: URL;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

export interface HubStats {
  readonly rowCount: number;
  readonly listCount: number;
  readonly putCount: number;
}

const METADATA = 'http://schemas.microsoft.com/ado/2007/08/dataservices/metadata';
const PAGE_SIZE = 100;
const NEVER = '9999-12-31T23:59:59.9999999Z';

/** One hub as far as a backup and a restore need it, in the recorded answers of 2022. */
export class BenchHub {
  readonly #name: string;
  readonly #rows = new RowStore();
  readonly #installations = new Map<string, readonly string[]>();
  #mintedCount = 0;
  #listCount = 0;
  #putCount = 0;

  constructor(name: string) {
    this.#name = name;
  }

  seed(id: string, xml: string): void {
    this.#rows.put(id, 1, xml);
  }

  stats(): HubStats {
    return { rowCount: this.#rows.size, listCount: this.#listCount, putCount: this.#putCount };
  }

  answer({ method, resource, key, url }: HubRoute, body: string): Answer {
    switch (`${method} ${resource}${key === '' ? '' : '/{}'}`) {
      case 'GET registrations':
        return this.#list(url);
      case 'POST registrations':
        return this.#putRegistration(this.#mintId(), body, url);
      case 'PUT registrations/{}':
        return this.#putRegistration(key, body, url);
      case 'POST registrationids':
        return {
          status: 201,
          headers: { Location: `https://${url.host}/${this.#name}/registrationids/${this.#mintId()}` },
        };
      case 'PUT installations/{}':
        return this.#putInstallation(key, body);
      case 'GET feedbackcontainer':
        return { status: 200 };
      default:
        return { status: 404 };
    }
  }

  #list(url: URL): Answer {
    this.#listCount += 1;
    const top = Math.min(PAGE_SIZE, Number(url.searchParams.get('$top') ?? PAGE_SIZE));
    const { rows, nextOffset } = this.#rows.page(offsetOf(url.searchParams.get('continuationtoken')), top);
    const token =
      nextOffset === undefined ? undefined : encodeURIComponent(Buffer.from(`31(n);${nextOffset}`).toString('base64'));
    const collection = escapeAttribute(`${url.origin}/${this.#name}/registrations`);
    const query = escapeAttribute(url.search);
    const now = seconds(new Date());
    const next =
      token === undefined
        ? ''
        : `<link rel="next" href="${collection}?continuationtoken=${encodeURIComponent(token)}"/>`;
    const parts: Uint8Array[] = [
      Buffer.from(
        `<feed xmlns="${atom}"><title type="text">Registrations</title><id>${collection}${query}</id><updated>${now}</updated><link rel="self" href="${collection}${query}"/>${next}`,
      ),
    ];
    for (const { id, etag, description } of rows) {
      const self = `${collection}/${id}${query}`;
      parts.push(
        Buffer.from(
          `<entry a:etag="W/&quot;${etag}&quot;" xmlns:a="${METADATA}"><id>${self}</id><title type="text">${id}</title><published>${now}</published><updated>${now}</updated><link rel="self" href="${self}"/><content type="application/xml">`,
        ),
        description,
        entryEnd,
      );
    }
    parts.push(feedEnd);
    return {
      status: 200,
      headers: {
        'Content-Type': 'application/atom+xml; type=feed; charset=utf-8',
        ...(token === undefined ? {} : { 'x-ms-continuationtoken': token }),
      },
      body: Buffer.concat(parts),
    };
  }

  #putRegistration(id: string, body: string, url: URL): Answer {
    this.#putCount += 1;
    const description = /<content[^>]*>(.*)<\/content>/s.exec(body)?.[1];
    const root = /^\s*<(\w+RegistrationDescription)\b[^>]*>/.exec(description ?? '');
    if (description === undefined || root === null) return { status: 400 };
    const etag = this.#rows.etagOf(id) + 1;
    const own = `<ETag>${etag}</ETag><ExpirationTime>${NEVER}</ExpirationTime><RegistrationId>${id}</RegistrationId>`;
    const xml = `${root[0]}${own}${description.slice(root[0].length)}`;
    this.#rows.put(id, etag, xml);
    const self = escapeAttribute(`${url.origin}${url.pathname}${url.search}`);
    const now = seconds(new Date());
    return {
      status: 200,
      headers: {
        'Content-Type': 'application/atom+xml; type=entry; charset=utf-8',
        ETag: `W/"${etag}"`,
        'Content-Location': self,
      },
      body: Buffer.from(
        `<entry a:etag="W/&quot;${etag}&quot;" xmlns="${atom}" xmlns:a="${METADATA}"><id>${self}</id><title type="text">${id}</title><published>${now}</published><updated>${now}</updated><link rel="self" href="${self}"/><content type="application/xml">${xml}</content></entry>`,
      ),
    };
  }

  /** Its rows show at once, as the emulator derives them. */
  #putInstallation(installationId: string, body: string): Answer {
    this.#putCount += 1;
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
    return { status: 200, headers: { 'Content-Type': 'application/xml; charset=utf-8' } };
  }

  #mintId(): string {
    this.#mintedCount += 1;
    return `${7_000_000_000_000_000_000n + BigInt(this.#mintedCount)}-1-1`;
  }
}

const entryEnd = Buffer.from('</content></entry>');
const feedEnd = Buffer.from('</feed>');

/** As it came in the header or, from the JavaScript SDK, encoded once more; none is the start. */
function offsetOf(token: string | null): number {
  const text = Buffer.from((token ?? '').replaceAll(/%3d/gi, '='), 'base64').toString();
  return Number(/^31\(n\);(\d+)$/.exec(text)?.[1] ?? 0);
}
