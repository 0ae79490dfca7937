import { DrError } from '../../core/errors.ts';
import type { Hub, Page, World } from '../../core/ports.ts';

type Arrival = Page | 'tokenLost' | DrError;

/** Pages that wait to be worked on: as many as come while rows are packed, unless they are of large rows. */
const PAGES_AHEAD = 16;
const BYTES_AHEAD = 4 * 1024 * 1024;

type ListingWorld = Pick<World, 'now' | 'nextTurn'>;

interface Request {
  readonly token: string | undefined;
  readonly arrival: Promise<Arrival>;
  /** Known before the page is there. */
  nextToken: string | undefined;
  /** Of its rows, once they are there. */
  sizeBytes: number;
}

/**
 * The pages of a hub's listing one after another; while one is worked on the next are under way. The next page is asked
 * for as soon as its token is known: with the head of an answer, before the page itself has come. None is asked for
 * after `deadlineAt` (epoch ms).
 */
export class Listing {
  readonly #hub: Pick<Hub, 'listPage'>;
  readonly #deadlineAt: number;
  readonly #world: ListingWorld;
  /** Asked for and not taken yet, each by the token of the one before. */
  #ahead: Request[] = [];
  #newest: Request | undefined;

  constructor(hub: Pick<Hub, 'listPage'>, deadlineAt: number, world: ListingWorld) {
    this.#hub = hub;
    this.#deadlineAt = deadlineAt;
    this.#world = world;
  }

  /** The page a token leads to, `undefined` to the first; the error when the hub did not give it. */
  async page(token: string | undefined): Promise<Arrival> {
    const asked = this.#ahead.shift();
    const isAhead = asked !== undefined && asked.token === token;
    if (!isAhead) this.#ahead = [];
    const request = isAhead ? asked : this.#ask(token);
    this.#askOn();
    const page = await request.arrival;
    if (page === 'tokenLost' || page instanceof DrError) return page;
    // The page decides: one that came damaged was asked for again and may now name another token.
    if (page.nextToken !== request.nextToken) {
      this.#ahead = [];
      this.#newest = request;
      request.nextToken = page.nextToken;
      this.#askOn();
    }
    // An idle connection is written to a turn of the event loop later; the work on this page must not come before.
    await this.#world.nextTurn();
    return page;
  }

  #askOn(): void {
    const token = this.#newest?.nextToken;
    if (token === undefined || this.#isFarAhead() || this.#world.now() >= this.#deadlineAt) return;
    this.#ahead.push(this.#ask(token));
  }

  #isFarAhead(): boolean {
    const waitingBytes = this.#ahead.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    return this.#ahead.length >= PAGES_AHEAD || waitingBytes >= BYTES_AHEAD;
  }

  #ask(token: string | undefined): Request {
    const onNextToken = (next: string): void => {
      request.nextToken = next;
      if (request === this.#newest) this.#askOn();
    };
    const arrival = arrivalOf(this.#hub.listPage(token, { deadlineAt: this.#deadlineAt, onNextToken }));
    const request: Request = { token, arrival, nextToken: undefined, sizeBytes: 0 };
    arrival.then(
      (page) => {
        request.sizeBytes = sizeOf(page);
      },
      // Whether anybody comes for it is not known yet.
      () => {},
    );
    this.#newest = request;
    return request;
  }
}

function sizeOf(page: Arrival): number {
  if (page === 'tokenLost' || page instanceof DrError) return 0;
  return page.rows.reduce((sum, row) => sum + row.length, 0);
}

async function arrivalOf(page: Promise<Page | 'tokenLost'>): Promise<Arrival> {
  try {
    return await page;
  } catch (error) {
    if (error instanceof DrError) return error;
    throw error;
  }
}
