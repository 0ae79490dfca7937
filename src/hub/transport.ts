import { DrError, faultCode, RecordFault } from '../core/errors.ts';
import { fullNameOf } from '../core/paths.ts';
import type { CallOptions, Clock } from '../core/ports.ts';
import { isTextNeeded, judgeAnswer, type Operation, type Verdict } from './answer.ts';
import type { HubConnection, HubIdentity } from './connection-string.ts';
import { type ExchangeLimits, exchange, type RawAnswer, type RawHead } from './exchange.ts';
import { askForKey, type HubKeys } from './keys.ts';
import type { Limiter } from './limiter.ts';
import { type Attempt, type RetryOptions, retry, type SentFailure } from './retry.ts';
import { createSas } from './sas.ts';
import { isOfRecord, Overdue, Served, type UnderWay } from './served.ts';
import { openSockets, type Sockets } from './sockets.ts';
import { wordsIn } from './words.ts';

export interface TransportOptions {
  /** Without a key it is called once `keys` have given one. */
  readonly connection: HubConnection | HubIdentity;
  readonly limiter: Limiter;
  readonly clock: Clock;
  /** 0 to 1, for the jitter of retries. */
  readonly random: () => number;
  /** Asked once when the hub does not accept the key: it may have been rotated. Without them a 401 is final. */
  readonly keys?: HubKeys | undefined;
  /** How long the hub may take to begin an answer, to send it, and be silent meanwhile: a deadline may be overrun by it. */
  readonly requestTimeoutMs?: number;
  /** How long a call that gives its place to others is waited for while the hub carries out later ones. */
  readonly overdueAfterMs?: number;
  /** A certificate in PEM to trust in place of the public authorities: of a hub on this machine. */
  readonly trustedCertificate?: string;
}

export interface HubRequest {
  readonly operation: Operation;
  readonly method: 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE';
  /** Below the hub, without a leading slash, each part percent-encoded. */
  readonly path: string;
  /** Without `?`; `api-version` is added. */
  readonly query?: string;
  readonly contentType?: string;
  /** The entity tag the call is for, as a number. */
  readonly ifMatch?: number | undefined;
  readonly body?: string;
  /** Of a write: the body of a good answer is read. */
  readonly readsAnswer?: boolean;
  /** Called with the start of a good answer, before its body has come: once an attempt. */
  readonly onHead?: (head: HubHead) => void;
  /** An attempt under way is cut off at the deadline. */
  readonly isCutOff?: boolean;
  /** See `CallOptions`. */
  readonly givesWay?: CallOptions['givesWay'];
  /** For some rows of a listing: when the hub fails at it and serves others, `RecordFault` says so soon. */
  readonly isPage?: true | undefined;
}

export interface HubHead {
  /** The first value of a header, by its lower-case name. */
  header(name: string): string | undefined;
}

export interface HubAnswer extends HubHead {
  readonly status: number;
  readonly verdict: Verdict;
  /** As it came; empty where it is not read. */
  readonly body: Uint8Array;
  /** An attempt before this one was not answered, or refused for now. */
  readonly isRetried: boolean;
}

/** What requests are sent with. */
interface Opened {
  readonly connection: HubConnection;
  readonly authorization: () => string;
  readonly sockets: Sockets;
}

/** A call that others wait for, too, and when it began. */
interface Recent<T> {
  readonly at: number;
  readonly came: Promise<T>;
}

const API_VERSION = '2020-06';
/** What is asked again in another way before it is believed. */
const IS_DOUBTED: ReadonlySet<Verdict['kind']> = new Set(['unauthorized', 'unexplained', 'olderVersion']);
const NEED_MANAGE: ReadonlySet<Operation> = new Set(['list', 'listOn', 'findByTag', 'jobs']);
const LISTING = { operation: 'list', method: 'GET', path: 'registrations', query: '$top=1' } as const;
const MINTING = { operation: 'newRegistrationId', method: 'POST', path: 'registrationIDs' } as const;
/** Rights are seldom taken away in between. */
const RIGHT_KNOWN_MS = 60_000;
/** A key that is refused once may serve all the same. */
const TRIES_OF_KEYS = 3;
/** So often the hub fails at a record while it serves others before others get its place. */
const OWN_FAILURES = 3;
/** That the hub serves a call which is made to find that out is known for so long. */
const SERVES_MS = 1000;
const LOOK_MS = 2000;
const REQUEST_TIMEOUT_MS = 30_000;
const OVERDUE_AFTER_MS = 5000;
/** In that time, how often calls are looked at that the hub has not answered yet. */
const LOOKS = 5;

/** Sends requests to one hub: paced, retried until the deadline, signed. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #reading: ExchangeLimits;
  readonly #writing: ExchangeLimits;
  readonly #hubPath: string;
  /** What messages call the hub. */
  readonly where: string;
  /** `undefined` until there is a key. */
  #opened: Opened | undefined;
  #apiVersion = API_VERSION;
  /** When a call that needs the right was last answered. */
  readonly #rightSeenAt = { Manage: Number.NEGATIVE_INFINITY, Listen: Number.NEGATIVE_INFINITY };
  readonly #served = new Served();
  /** The newest calls that were made only to see whether the hub serves, and when. */
  readonly #asked = new Map<Operation, Recent<HubAnswer>>();
  readonly #looks = new Map<Operation, Recent<boolean>>();
  #sockets: Sockets | undefined;
  /** Calls that give their place to others. */
  readonly #overdue: Overdue;
  readonly #lookEveryMs: number;
  #looking: ReturnType<typeof setInterval> | undefined;

  constructor(options: TransportOptions) {
    const { connection, requestTimeoutMs = REQUEST_TIMEOUT_MS, overdueAfterMs = OVERDUE_AFTER_MS } = options;
    this.#options = options;
    this.#overdue = new Overdue(overdueAfterMs);
    this.#lookEveryMs = overdueAfterMs / LOOKS;
    this.#reading = { bodyTimeoutMs: requestTimeoutMs, isBodyWanted: () => true };
    this.#writing = { bodyTimeoutMs: requestTimeoutMs, isBodyWanted: (status) => status >= 300 };
    this.#hubPath = `/${encodeURIComponent(connection.hubName)}`;
    this.where = `hub ${fullNameOf(connection.ref)}`;
    if ('key' in connection) this.#open(connection);
  }

  /** Every answer that is not to be tried again. Throws `HubUnavailable` (retryable) when there was none in time. */
  async call(request: HubRequest, deadlineAt: number): Promise<HubAnswer> {
    const opened = this.#opened ?? (await this.#openNext([], 0, request, deadlineAt));
    if (opened === undefined) throw new DrError('HubUnauthorized', `The ${this.where} has no key.`);
    const first = await this.#attempt(opened, request, deadlineAt);
    const answer = first.kind === 'done' ? first.value : await this.#retry(opened, first, request, deadlineAt);
    return IS_DOUBTED.has(answer.verdict.kind) ? this.#askAgain(opened, answer, request, deadlineAt) : answer;
  }

  /**
   * Until the answer leaves no doubt: whether the key is refused, or only this once; whether a right is missing, or the
   * hub throttles; which version of the API the hub takes.
   */
  async #askAgain(first: Opened, answer: HubAnswer, request: HubRequest, deadlineAt: number): Promise<HubAnswer> {
    const since = performance.now();
    const refused: HubConnection[] = [];
    const versions = new Set<string>([API_VERSION]);
    let opened = first;
    let isAskedTwice = false;
    for (let last = answer; ; ) {
      const { verdict } = last;
      if (verdict.kind === 'unauthorized') {
        refused.push(opened.connection);
        const next = await this.#openAfter(opened, refused, since, request, deadlineAt);
        if (next === undefined) return last;
        opened = next;
      } else if (verdict.kind === 'unexplained') {
        if (isAskedTwice || !(await this.#mayHaveRight(request, deadlineAt))) return last;
        isAskedTwice = isAsking(request);
      } else if (verdict.kind === 'olderVersion') {
        if (versions.has(verdict.version)) return last;
        versions.add(verdict.version);
        this.#apiVersion = verdict.version;
      } else return last;
      try {
        last = await this.#retry(opened, await this.#attempt(opened, request, deadlineAt), request, deadlineAt);
      } catch (error) {
        // No time is left to ask again: a key that was refused is not taken for a hub that is away.
        if (refused.length > 0 && error instanceof DrError && error.code === 'HubUnavailable') return last;
        throw error;
      }
    }
  }

  /** What to call with after a key was refused: one that was found meanwhile, the same again, another one. */
  async #openAfter(
    opened: Opened,
    refused: readonly HubConnection[],
    since: number,
    request: HubRequest,
    deadlineAt: number,
  ): Promise<Opened | undefined> {
    if (this.#opened !== undefined && !refused.includes(this.#opened.connection)) return this.#opened;
    // With another token. A hub was seen to refuse one call in a thousand.
    if (refused.length === 1) return this.#open(opened.connection);
    const next = await this.#openNext(refused, since, request, deadlineAt);
    return next ?? (refused.length < TRIES_OF_KEYS ? this.#open(opened.connection) : undefined);
  }

  /** Asked by a call that needs the same right and no room, unless this is one: then it is made again. */
  async #mayHaveRight(request: HubRequest, deadlineAt: number): Promise<boolean> {
    if (isAsking(request)) return true;
    const { isCutOff = false } = request;
    const asked = { ...(isOfManage(request) ? LISTING : MINTING), isCutOff };
    return (await this.call(asked, deadlineAt)).verdict.kind === 'ok';
  }

  async #retry(opened: Opened, first: Attempt<HubAnswer>, request: HubRequest, deadlineAt: number): Promise<HubAnswer> {
    const mayBeOwn = isOfRecord(request.operation) || request.isPage;
    const ownFault = mayBeOwn ? this.#openOwnFault(opened, request, deadlineAt) : undefined;
    const again = () => this.#attempt(opened, request, deadlineAt, 'again');
    const answer = await retry(first, again, { ...this.#patience(deadlineAt), ownFault });
    return { ...answer, isRetried: true };
  }

  #patience(deadlineAt: number): RetryOptions {
    const { clock, random } = this.#options;
    return { where: this.where, deadlineAt, clock, random };
  }

  /**
   * Counts how often the hub has failed at this record, and served others between two attempts. When no other is under
   * way, it is asked for something else.
   */
  #openOwnFault(opened: Opened, request: HubRequest, deadlineAt: number) {
    const { operation, givesWay, isPage } = request;
    let servedBefore = this.#served.count();
    let failures = 0;
    let own = 0;
    return async (failure: SentFailure): Promise<RecordFault | undefined> => {
      const { status, words, seen, hasNoEffect, isLast, waitMs, isGivenUp = false } = failure;
      // A hub that says when to come again speaks of itself.
      if (isPage && waitMs !== undefined) return undefined;
      failures += 1;
      const isQuiet = !isGivenUp && this.#served.count() === servedBefore;
      if (isQuiet && failures < OWN_FAILURES && !isLast) return undefined;
      if (isQuiet && !(await this.#serves(opened, request, deadlineAt))) return undefined;
      servedBefore = this.#served.count();
      own += 1;
      const isEnough =
        isLast || isGivenUp || (givesWay === true && own >= OWN_FAILURES) || (isPage && failures >= OWN_FAILURES);
      if (!isEnough) return undefined;
      const what = isPage ? 'these rows of its listing' : 'this record';
      const message = `The ${this.where} serves others, but not ${what}; last seen: ${seen}.`;
      const isSure = this.#served.isServed(operation, this.#options.clock.now());
      const target = this.where;
      return new RecordFault('HubUnavailable', message, {
        ...{ retryable: true, hasNoEffect, target, seen, status, words, isSure, isSilent: isGivenUp },
      });
    };
  }

  /** Whether the hub answers a call that is about no record: a listing, and for a write also one that it allows with it. */
  async #serves(opened: Opened, request: HubRequest, deadlineAt: number): Promise<boolean> {
    // A listing's first row may be what it fails at.
    const looks = request.operation === 'list' ? [MINTING] : callsAboutHub(request.method);
    const served = await Promise.all(
      looks.map((look) =>
        this.#shared(this.#looks, look, deadlineAt, async (until) => {
          const came = await this.#attempt(opened, look, until, 'look');
          return came.kind === 'done' && came.value.verdict.kind === 'ok';
        }),
      ),
    );
    return served.every((one) => one);
  }

  /** What the hub answers to calls that are about no record, and need the rights that this one does. */
  askHub({ method }: Pick<HubRequest, 'method'>, deadlineAt: number): Promise<readonly HubAnswer[]> {
    return Promise.all(
      callsAboutHub(method).map((call) =>
        this.#shared(this.#asked, call, deadlineAt, (until) => this.call(call, until)),
      ),
    );
  }

  /**
   * What the newest such call came to, or a new one. That has a time of its own where the call in doubt has used up its:
   * one call more does no harm.
   */
  #shared<T>(
    known: Map<Operation, Recent<T>>,
    { operation }: HubRequest,
    deadlineAt: number,
    begin: (until: number) => Promise<T>,
  ): Promise<T> {
    const now = this.#options.clock.now();
    const newest = known.get(operation);
    if (newest !== undefined && now - newest.at < SERVES_MS) return newest.came;
    const came = begin(Math.max(deadlineAt, now + LOOK_MS));
    known.set(operation, { at: now, came });
    return came;
  }

  /** Begins to watch a call that gives its place to others. */
  #watch(opened: Opened, request: HubRequest, deadlineAt: number, call: UnderWay): void {
    this.#overdue.begin(call);
    if (this.#looking !== undefined) return;
    const look = (): void => {
      if (this.#overdue.isEmpty) {
        clearInterval(this.#looking);
        this.#looking = undefined;
      } else void this.#overdue.look(this.#options.clock.now(), () => this.#serves(opened, request, deadlineAt));
    };
    this.#looking = setInterval(look, this.#lookEveryMs).unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#looking);
    await this.#sockets?.close();
  }

  /** One attempt, paced and counted by the limiter. */
  async #attempt(
    opened: Opened,
    request: HubRequest,
    deadlineAt: number,
    turn: 'first' | 'again' | 'look' = 'first',
  ): Promise<Attempt<HubAnswer>> {
    const { limiter, clock } = this.#options;
    const permit = await limiter.acquire(deadlineAt, turn === 'look' ? 'look' : 'work');
    if (permit === undefined) {
      return { kind: 'again', waitMs: Number.POSITIVE_INFINITY, hasNoEffect: true, ...limiter.refusal() };
    }
    const sentAt = clock.now();
    let answer: HubAnswer;
    let watched: (UnderWay & { isGivenUp: boolean }) | undefined;
    const onSent = (end: (error: Error) => void): void => {
      const giveUp = (): void => {
        if (watched !== undefined) watched.isGivenUp = true;
        end(new LeftWithoutAnswer());
      };
      watched = { sentAt: clock.now(), giveUp, isGivenUp: false };
      this.#watch(opened, request, deadlineAt, watched);
    };
    const isWatched = request.givesWay === true && isOfRecord(request.operation);
    try {
      answer = this.#toAnswer(request, await this.#send(opened, request, deadlineAt, isWatched ? onSent : undefined));
    } catch (error) {
      // Whether the hub took the write is unknown, and every call of the port may be made twice.
      permit.release('failed');
      if (watched !== undefined) this.#overdue.end(watched, clock.now(), false);
      return { kind: 'again', seen: faultCode(error), sentAt, isGivenUp: watched?.isGivenUp ?? false };
    }
    if (watched !== undefined) this.#overdue.end(watched, clock.now(), answer.verdict.kind === 'ok');
    const { status } = answer;
    let { verdict } = answer;
    const right = isOfManage(request) ? 'Manage' : 'Listen';
    if (verdict.kind === 'ok') {
      this.#rightSeenAt[right] = sentAt;
      this.#served.note(request.operation, clock.now());
    }
    const isConflict = status === 409;
    if (turn === 'first' && isOfRecord(request.operation)) this.#served.noteConflict(isConflict);
    const isRightKnown = sentAt - this.#rightSeenAt[right] < RIGHT_KNOWN_MS;
    if (verdict.kind === 'unexplained' && isRightKnown) verdict = { kind: 'throttled', retryAfterMs: undefined };
    if (isConflict && isOfRecord(request.operation)) {
      permit.release(this.#served.isThrottling() ? 'throttled' : 'failed');
      return { kind: 'again', seen: 'status 409', sentAt, hasNoEffect: true, status, words: wordsOf(request, answer) };
    }
    if (verdict.kind === 'throttled') {
      permit.release('throttled', verdict.retryAfterMs);
      // The limiter makes every call wait, including this one.
      const seen = `status ${status} (${answer.verdict.kind === 'throttled' ? 'throttled' : 'no reason given'})`;
      return { kind: 'again', seen, waitMs: 0, hasNoEffect: true, isThrottled: true };
    }
    permit.release(verdict.kind === 'transient' ? 'failed' : 'accepted');
    if (verdict.kind !== 'transient') return { kind: 'done', value: answer };
    const words = wordsOf(request, answer);
    return { kind: 'again', seen: `status ${status}`, waitMs: verdict.retryAfterMs, sentAt, status, words };
  }

  #send(
    { sockets, authorization }: Opened,
    request: HubRequest,
    deadlineAt: number,
    onSent: ExchangeLimits['onSent'],
  ): Promise<RawAnswer> {
    const { method, path, query, contentType, ifMatch, body: content, onHead, readsAnswer } = request;
    const headers = ['authorization', authorization(), 'x-ms-version', this.#apiVersion];
    if (contentType !== undefined) headers.push('content-type', contentType);
    if (ifMatch !== undefined) headers.push('if-match', `"${ifMatch}"`);
    const common = method === 'GET' || readsAnswer ? this.#reading : this.#writing;
    const limits = onSent === undefined ? common : { ...common, onSent };
    const totalMs = Math.max(1, deadlineAt - this.#options.clock.now());
    return exchange(
      sockets,
      {
        method,
        path: `${this.#hubPath}/${path}?api-version=${this.#apiVersion}${query ? `&${query}` : ''}`,
        headers,
        body: content ?? null,
        // It would keep the next call off the connection until this one's answer has begun. There is none, and waking
        // the connection for it costs several microseconds a call.
        blocking: false,
      },
      request.isCutOff ? { ...limits, totalMs } : limits,
      onHead && ((head) => this.#tellHead(request, head)),
    );
  }

  #toAnswer({ operation }: HubRequest, raw: RawAnswer): HubAnswer {
    const { status, body } = raw;
    const header = headerOf(raw);
    // For looking at only, so that bytes which are no text do no harm.
    const detail = isTextNeeded(status) ? Buffer.from(body).toString() : '';
    return { status, body, header, verdict: this.#judge(operation, status, header, detail), isRetried: false };
  }

  #tellHead({ operation, onHead }: HubRequest, head: RawHead): void {
    const header = headerOf(head);
    if (this.#judge(operation, head.status, header, '').kind === 'ok') onHead?.({ header });
  }

  #judge(operation: Operation, status: number, header: HubHead['header'], detail: string): Verdict {
    const retryAfter = header('retry-after');
    // An instant the hub names is by its own clock. Without one, parsing the date would cost microseconds for nothing.
    const hubNow = retryAfter === undefined ? undefined : Date.parse(header('date') ?? '');
    return judgeAnswer(operation, { status, retryAfter, detail }, hubNow || this.#options.clock.now());
  }

  #open(connection: HubConnection): Opened {
    const { clock, requestTimeoutMs = REQUEST_TIMEOUT_MS, trustedCertificate } = this.#options;
    this.#sockets ??= openSockets(connection.endpoint, trustedCertificate, requestTimeoutMs);
    this.#opened = { connection, authorization: createSas(connection, clock.now), sockets: this.#sockets };
    return this.#opened;
  }

  /** With another key than those refused since then; `undefined` when there is none. */
  async #openNext(
    refused: readonly HubConnection[],
    since: number,
    { isCutOff = false }: HubRequest,
    deadlineAt: number,
  ): Promise<Opened | undefined> {
    const { keys, clock } = this.#options;
    if (keys === undefined) return undefined;
    const ask = () => askForKey(() => keys.besides(refused, since), clock, isCutOff ? deadlineAt : undefined);
    const connection = await retry(await ask(), ask, this.#patience(deadlineAt));
    if (connection === undefined) return undefined;
    return this.#opened?.connection === connection ? this.#opened : this.#open(connection);
  }
}

/** Not the hub's word: the wait for it has ended. */
class LeftWithoutAnswer extends Error {
  readonly code = 'no answer in time';
}

/** What the hub says of the record that a call is about. */
export function wordsOf({ operation, body: sent }: HubRequest, { body }: Pick<HubAnswer, 'body'>): string | undefined {
  return isOfRecord(operation) ? wordsIn(body, sent) : undefined;
}

/** Calls that are about no record, and need the rights that one with this method does. */
function callsAboutHub(method: HubRequest['method']): readonly HubRequest[] {
  return method === 'GET' ? [LISTING] : [LISTING, MINTING];
}

function isOfManage({ operation }: HubRequest): boolean {
  return NEED_MANAGE.has(operation);
}

/** It needs a right and nothing else. */
function isAsking(request: HubRequest): boolean {
  return isOfManage(request) || request.operation === 'newRegistrationId';
}

function headerOf({ headers }: Pick<RawHead, 'headers'>): HubHead['header'] {
  return (name) => {
    const value = headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
}
