import { DrError, RecordFault } from '../core/errors.ts';
import type { CallOptions, ListOptions, Page } from '../core/ports.ts';
import { tokenOneOn } from './page/continuation.ts';
import { readPage } from './page/page.ts';
import { refusal, requireOk } from './refusal.ts';
import type { HubAnswer, HubHead, HubRequest } from './transport/request.ts';
import { NO_ANSWER } from './transport/retry.ts';
import type { Transport } from './transport/transport.ts';

/** Most the service gives at once (javadoc of its SDK; no recording has more). */
export const PAGE_SIZE = 100;
/** A page that the hub fails at is asked for in this many parts, and each of them likewise, down to one row. */
const PARTS = 10;
/** A page that is damaged this often is not damaged on its way. */
export const MAX_DAMAGED_PAGES = 3;
/** A row is asked for so often in a step before it is left out. */
const TRIES_OF_ROW = 3;
/** A part of a service that is down for this long is not taken for rows that it never gives. */
const ROW_PATIENCE_MS = 5 * 60_000;
/** Trouble that did not show for so long is over. */
const TROUBLE_ENDS_MS = 15 * 60_000;

interface Query {
  readonly token: string | undefined;
  readonly size: number;
}
type Call = ListOptions & { readonly isCutOff?: boolean; readonly isPage?: true };

/** A page that the hub does not give, or not whole, while it serves other calls. */
interface NotGiven {
  readonly fault: DrError;
  /** Of an answer that cannot be read. */
  readonly nextToken?: string | undefined;
}
type Asked = Page | 'tokenLost' | NotGiven;

/**
 * A hub's listing. What is wrong with one row is no fault of its page: that is asked for in smaller parts, and what the
 * hub does not give by itself for five minutes is left out, and counted by the page.
 */
export class HubListing {
  readonly #transport: Transport;
  readonly #now: () => number;
  readonly #rowPatienceMs: number;
  #trouble = { since: 0, lastAt: Number.NEGATIVE_INFINITY };

  constructor(transport: Transport, now: () => number, rowPatienceMs = ROW_PATIENCE_MS) {
    this.#transport = transport;
    this.#now = now;
    this.#rowPatienceMs = rowPatienceMs;
  }

  /**
   * See `Hub`. Throws `RecordFault` at a row that the hub does not give: retryable for five minutes, and then only where
   * no token leads past it.
   */
  page(token: string | undefined, call: ListOptions): Promise<Page | 'tokenLost'> {
    return this.#read({ token, size: PAGE_SIZE }, { ...call, isPage: true });
  }

  /** Throws what keeps the hub from being listed. */
  async tryFirstRow(call: CallOptions & { readonly isCutOff?: boolean }): Promise<void> {
    const asked = await this.#ask({ token: undefined, size: 1 }, call);
    if (isNotGiven(asked)) throw asked.fault;
  }

  async #read(query: Query, call: Call): Promise<Page | 'tokenLost'> {
    const asked = await this.#ask(query, call);
    if (!isNotGiven(asked)) return asked;
    const { deadlineAt } = call;
    try {
      return query.size > 1
        ? await this.#inParts(query, { deadlineAt, isPage: true })
        : await this.#withoutRow(query, asked, { deadlineAt, isPage: true });
    } catch (error) {
      // There was no time to find the row: what the hub did is known all the same.
      throw isOutOfTime(error) ? lasting(asked.fault) : error;
    }
  }

  /** As much of the page as the hub gives in smaller ones, one after another. */
  async #inParts({ token: first, size }: Query, call: Call): Promise<Page | 'tokenLost'> {
    const rows: Uint8Array[] = [];
    const missing: number[] = [];
    let token = first;
    for (let part = 0; part < PARTS; part += 1) {
      let page: Page | 'tokenLost';
      try {
        page = await this.#read({ token, size: size / PARTS }, call);
      } catch (error) {
        // The next call begins there.
        if (error instanceof DrError && rows.length + missing.length > 0) break;
        throw error;
      }
      if (page === 'tokenLost') return page;
      const before = rows.length + missing.length;
      missing.push(...(page.missing ?? []).map((index) => before + index));
      rows.push(...page.rows);
      const isMoved = page.nextToken !== token;
      token = page.nextToken;
      if (token === undefined || !isMoved) break;
    }
    return { rows, nextToken: token, ...(missing.length === 0 ? {} : { missing }) };
  }

  /** The page of one row, asked for some times more, or the token after it. */
  async #withoutRow(query: Query, asked: NotGiven, call: Call): Promise<Page | 'tokenLost'> {
    let last = asked;
    for (let tries = 1; tries < TRIES_OF_ROW; tries += 1) {
      const again = await this.#ask(query, call);
      if (!isNotGiven(again)) return again;
      last = again;
    }
    const { fault } = last;
    const target = this.#transport.where;
    if (!this.#isLasting()) {
      const message = `The ${target} fails at a row of its listing. It is asked for some minutes before the row is left out. ${fault.message}`;
      throw new RecordFault(fault.code, message, { retryable: true, target, seen: fault.seen });
    }
    const nextToken = last.nextToken ?? (await this.#tokenAfter(query, fault, call));
    if (nextToken !== undefined && (await this.#isReadElsewhere(query, nextToken, call)))
      return { rows: [], missing: [0], nextToken };
    // It may be the hub, after all: another row cannot be read, or there is none to compare with.
    if (nextToken !== undefined || (query.token === undefined && fault.seen === undefined)) throw lasting(fault);
    const message = `The ${target} fails at a row of its listing whatever it is asked, serves others, and no token leads past that row. ${fault.message}`;
    throw new RecordFault('HubMisbehaves', message, { target, seen: fault.seen });
  }

  #isLasting(): boolean {
    const now = this.#now();
    const { since, lastAt } = this.#trouble;
    this.#trouble = { since: now - lastAt < TROUBLE_ENDS_MS ? since : now, lastAt: now };
    return now - this.#trouble.since >= this.#rowPatienceMs;
  }

  /** Known where the hub's tokens count rows: its first page of one row shows that. */
  async #tokenAfter({ token }: Query, fault: DrError, call: Call): Promise<string | undefined> {
    if (token === undefined) return undefined;
    const first = await this.#ask({ token: undefined, size: 1 }, call);
    if (first === 'tokenLost' || isNotGiven(first)) throw lasting(fault);
    return tokenOneOn(token, first.nextToken);
  }

  /** Another row comes as it should: the hub does not write all of them in a form that is not known here. */
  async #isReadElsewhere({ token }: Query, nextToken: string, call: Call): Promise<boolean> {
    const other = await this.#ask({ token: token === undefined ? nextToken : undefined, size: 1 }, call);
    return other !== 'tokenLost' && !isNotGiven(other);
  }

  /** Thrown where it is the hub's word about itself, and not about these rows. */
  async #refusalOf(
    { operation, method, isPage }: HubRequest,
    { verdict, status }: Pick<HubAnswer, 'verdict' | 'status'>,
    deadlineAt: number,
  ): Promise<DrError> {
    const { where } = this.#transport;
    const fault = refusal(verdict, status, where);
    if (operation === 'list' || !isPage) throw fault;
    for (const answer of await this.#transport.askHub({ method }, deadlineAt)) requireOk(answer, where);
    return new DrError(fault.code, fault.message, { target: where, seen: `status ${status}` });
  }

  async #ask({ token, size }: Query, { deadlineAt, onNextToken, isCutOff = false, isPage }: Call): Promise<Asked> {
    const { where } = this.#transport;
    const operation = token === undefined ? 'list' : 'listOn';
    const query = `$top=${size}${token === undefined ? '' : `&continuationtoken=${asQueryValue(token)}`}`;
    const onHead = ({ header }: HubHead): void => {
      const next = nextTokenIn(header);
      if (next !== undefined) onNextToken?.(next);
    };
    const request: HubRequest = { operation, method: 'GET', path: 'registrations', query, onHead, isCutOff, isPage };
    for (let tries = 1; ; tries += 1) {
      try {
        const { verdict, status, header, body } = await this.#transport.call(request, deadlineAt);
        if (verdict.kind === 'tokenLost') return 'tokenLost';
        if (verdict.kind !== 'ok') return { fault: await this.#refusalOf(request, { verdict, status }, deadlineAt) };
        const nextToken = nextTokenIn(header);
        try {
          return { rows: readPage(body, { takesOddEntries: tries >= MAX_DAMAGED_PAGES }), nextToken };
        } catch (error) {
          if (!(error instanceof DrError)) throw error;
          if (error.code === 'HubNotFound') throw refusal({ kind: 'notFound' }, status, where);
          if (tries >= MAX_DAMAGED_PAGES) return { fault: error, nextToken };
        }
      } catch (error) {
        if (error instanceof RecordFault) return { fault: error };
        throw error;
      }
    }
  }
}

function lasting({ code, message, target, seen }: DrError): DrError {
  return new DrError(code, message, { retryable: true, target, seen });
}

/** The time of a call was over before it was answered, and the hub has not refused. */
function isOutOfTime(error: unknown): boolean {
  return error instanceof DrError && error.code === 'HubUnavailable' && error.seen === NO_ANSWER;
}

function isNotGiven(asked: Asked): asked is NotGiven {
  return typeof asked === 'object' && 'fault' in asked;
}

export function nextTokenIn(header: HubHead['header']): string | undefined {
  return header('x-ms-continuationtoken') || undefined;
}

/** The header's value is percent-encoded already and goes back as it came (service-facts 1.3); what is not is encoded. */
export function asQueryValue(token: string): string {
  return token.replace(/[^\w.~%-]/g, encodeURIComponent);
}
