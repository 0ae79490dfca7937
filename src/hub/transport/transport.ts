import { DrError, faultCode } from '../../core/errors.ts';
import { fullNameOf } from '../../core/paths.ts';
import type { Clock } from '../../core/ports.ts';
import type { HubConnection, HubIdentity } from '../access/connection-string.ts';
import type { Limiter } from '../pace/limiter.ts';
import type { Verdict } from './answer.ts';
import { askForKey, type HubKeys } from './keys.ts';
import { RecordTrouble, type RecordTroubleOptions } from './record-trouble.ts';
import {
  callsAboutHub,
  type HubAnswer,
  type HubRequest,
  isAsking,
  isOfManage,
  LISTING,
  MINTING,
  wordsOf,
} from './request.ts';
import { type Attempt, type RetryOptions, retry } from './retry.ts';
import { isOfRecord, type UnderWay } from './served.ts';
import { Shared } from './shared.ts';
import { API_VERSION, type Opened, Wire, type WireOptions } from './wire.ts';

export interface TransportOptions extends WireOptions, Omit<RecordTroubleOptions, 'where'> {
  /** Without a key it is called once `keys` have given one. */
  readonly connection: HubConnection | HubIdentity;
  readonly limiter: Limiter;
  readonly clock: Clock;
  /** 0 to 1, for the jitter of retries. */
  readonly random: () => number;
  /** Asked once when the hub does not accept the key: it may have been rotated. Without them a 401 is final. */
  readonly keys?: HubKeys | undefined;
}

/** What is asked again in another way before it is believed. */
const IS_DOUBTED: ReadonlySet<Verdict['kind']> = new Set(['unauthorized', 'unexplained', 'olderVersion']);
/** Rights are seldom taken away in between. */
const RIGHT_KNOWN_MS = 60_000;
/** A key that is refused once may serve all the same. */
const TRIES_OF_KEYS = 3;

/** Sends requests to one hub: paced, retried until the deadline, signed. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #wire: Wire;
  readonly #trouble: RecordTrouble;
  /** What messages call the hub. */
  readonly where: string;
  /** `undefined` until there is a key. */
  #opened: Opened | undefined;
  /** When a call that needs the right was last answered. */
  readonly #rightSeenAt = { Manage: Number.NEGATIVE_INFINITY, Listen: Number.NEGATIVE_INFINITY };
  readonly #asked: Shared<HubAnswer>;
  readonly #looks: Shared<boolean>;

  constructor(options: TransportOptions) {
    const { connection, clock } = options;
    this.#options = options;
    this.where = `hub ${fullNameOf(connection.ref)}`;
    this.#wire = new Wire(connection.hubName, options);
    this.#trouble = new RecordTrouble({ ...options, where: this.where });
    this.#asked = new Shared(clock);
    this.#looks = new Shared(clock);
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
        this.#wire.apiVersion = verdict.version;
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
    const serves = () => this.#serves(opened, request, deadlineAt);
    const ownFault = mayBeOwn ? this.#trouble.openOwnFault(request, serves) : undefined;
    const again = () => this.#attempt(opened, request, deadlineAt, 'again');
    const answer = await retry(first, again, {
      ...this.#patience(deadlineAt),
      ownFault,
      onRepeated: request.onRepeated,
    });
    return { ...answer, isRetried: true };
  }

  #patience(deadlineAt: number): RetryOptions {
    const { clock, random } = this.#options;
    return { where: this.where, deadlineAt, clock, random };
  }

  /** Whether the hub answers a call that is about no record: a listing, and for a write also one that it allows with it. */
  async #serves(opened: Opened, request: HubRequest, deadlineAt: number): Promise<boolean> {
    // A listing's first row may be what it fails at.
    const looks = request.operation === 'list' ? [MINTING] : callsAboutHub(request.method);
    const served = await Promise.all(
      looks.map((look) =>
        this.#looks.ask(look.operation, deadlineAt, async (until) => {
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
        this.#asked.ask(call.operation, deadlineAt, (until) => this.call(call, until)),
      ),
    );
  }

  async close(): Promise<void> {
    this.#trouble.close();
    await this.#wire.close();
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
      this.#trouble.watch(watched, () => this.#serves(opened, request, deadlineAt));
    };
    const isWatched = request.givesWay === true && isOfRecord(request.operation);
    try {
      answer = await this.#wire.send(opened, request, deadlineAt, isWatched ? onSent : undefined);
    } catch (error) {
      // Whether the hub took the write is unknown, and every call of the port may be made twice.
      permit.release('failed');
      if (watched !== undefined) this.#trouble.end(watched, false);
      return { kind: 'again', seen: faultCode(error), sentAt, isGivenUp: watched?.isGivenUp ?? false };
    }
    if (watched !== undefined) this.#trouble.end(watched, answer.verdict.kind === 'ok');
    const { status } = answer;
    let { verdict } = answer;
    const right = isOfManage(request) ? 'Manage' : 'Listen';
    if (verdict.kind === 'ok') {
      this.#rightSeenAt[right] = sentAt;
      this.#trouble.served.note(request.operation, clock.now());
    }
    const isConflict = status === 409;
    if (turn === 'first' && isOfRecord(request.operation)) this.#trouble.served.noteConflict(isConflict);
    const isRightKnown = sentAt - this.#rightSeenAt[right] < RIGHT_KNOWN_MS;
    if (verdict.kind === 'unexplained' && isRightKnown) verdict = { kind: 'throttled', retryAfterMs: undefined };
    if (isConflict && isOfRecord(request.operation)) {
      permit.release(this.#trouble.served.isThrottling() ? 'throttled' : 'failed');
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

  #open(connection: HubConnection): Opened {
    this.#opened = this.#wire.open(connection);
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
