import { distort, type Page } from './page-faults.ts';
import { type PlatformName, platforms } from './platforms.ts';
import { integer, type Random } from './random.ts';
import type { Row } from './row.ts';
import type { RowKey } from './row-order.ts';
import { ServiceError } from './service-error.ts';
import type { HubSwitches } from './switches.ts';

/** Which rows a list is about, and where it continues. */
export interface ListQuery {
  readonly tag?: string | undefined;
  /** Spellings of one handle, and its platform where the query names it. */
  readonly handle?:
    | { readonly spellings: ReadonlySet<string>; readonly platform: PlatformName | undefined }
    | undefined;
  /** As text, neither encoded nor in base64; absent = from the start. */
  readonly token?: string | undefined;
  readonly top?: number | undefined;
}

/** What a list sees of its hub. */
interface Listable {
  readonly switches: HubSwitches;
  listed(offset?: number): Iterable<Row>;
  listedWithTag(tag: string): Iterable<Row>;
  rowsOfHandle(handle: string): readonly Row[];
  inListOrder(rows: Iterable<Row>): Iterable<Row>;
  offsetAfter(key: RowKey): number;
}

export const startToken = '31(n);0';

/** @throws ServiceError 400 for a token this service does not give. */
export function listPage(hub: Listable, query: ListQuery, random: Random): Page {
  const { pageSizeLimit, shortPageShare, emptyPageShare, tokenOnLastPage } = hub.switches;
  const { token = startToken, top = pageSizeLimit } = query;
  const start = parseToken(token);
  const asked = Math.min(top, pageSizeLimit);
  const isShort = asked > 1 && random() < shortPageShare;
  const page = readPage(hub, query, start, isShort ? 1 + integer(random, asked - 1) : asked);
  if (random() < emptyPageShare) return distort(page, 'empty', token);
  if (page.nextToken !== undefined || !tokenOnLastPage) return page;
  const isEnd = page.rows.length === 0 && query.token !== undefined;
  return isEnd ? page : { ...page, nextToken: nextToken(hub, query, start, page.rows) };
}

interface Start {
  readonly offset: number;
  /** Instead of an offset: the last row shown. */
  readonly after?: RowKey;
}

function readPage(hub: Listable, query: ListQuery, start: Start, size: number): Page {
  const selected = select(hub, query);
  const offset = start.after === undefined || selected !== undefined ? start.offset : hub.offsetAfter(start.after);
  const rows: Row[] = [];
  let skipped = 0;
  for (const row of selected ?? hub.listed(offset)) {
    if (selected !== undefined && skipped < offset) skipped += 1;
    else if (rows.push(row) > size) break;
  }
  if (rows.length <= size) return { rows, nextToken: undefined };
  rows.pop();
  return { rows, nextToken: nextToken(hub, query, start, rows) };
}

/** Undefined = all rows. */
function select(hub: Listable, { tag, handle }: ListQuery): Iterable<Row> | undefined {
  if (handle !== undefined) {
    const found = [...handle.spellings].flatMap((spelling) => hub.rowsOfHandle(spelling));
    return hub.inListOrder(
      found.filter(({ platform }) => handle.platform === undefined || platform === handle.platform),
    );
  }
  return tag === undefined ? undefined : hub.listedWithTag(tag);
}

function nextToken(hub: Listable, { tag, handle }: ListQuery, start: Start, rows: readonly Row[]): string {
  const last = rows.at(-1);
  const isByOffset = tag !== undefined || handle !== undefined || hub.switches.listOffsetTokens;
  if (isByOffset || last === undefined)
    return `31(n);${start.offset + rows.length}${rows.length === 0 ? ';empty' : ''}`;
  const { platform, id, etag, inserted = 0, updated = 0 } = last;
  return `31(k);${platform};${id};${etag};${inserted};${updated}`;
}

/** An empty page's token has a mark behind, so that it differs from the one before. */
function parseToken(marked: string): Start {
  const text = marked.replace(/(;empty)+$/, '');
  const offset = /^31\(n\);(\d+)$/.exec(text)?.[1];
  if (offset !== undefined) return { offset: Number(offset) };
  const [, name, id, ...counts] = /^31\(k\);(\w+);([^;]+);(\d+);(\d+);(\d+)$/.exec(text) ?? [];
  const platform = platforms.find((each) => each.name === name)?.name;
  if (platform === undefined || id === undefined) throw new ServiceError(400, 'The continuation token is invalid.');
  const [etag = 0, inserted = 0, updated = 0] = counts.map(Number);
  return { offset: 0, after: { platform, id, etag, inserted, updated } };
}
