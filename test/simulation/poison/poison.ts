import type { Knobs } from '../knobs.ts';
import { type Random, randomOf } from '../random.ts';
import type { Description } from '../row.ts';

/** How a hub answers calls about one record, always. */
export type Answer = 500 | 409 | 404 | 501 | 400 | 'never' | 'notKept' | 'removedLater';

const ANSWERS: readonly [Answer, ...Answer[]] = [500, 409, 404, 501, 400, 'never', 'notKept', 'removedLater'];

/** What is wrong with one record at one hub. */
export interface Bane {
  readonly answer: Answer;
  /** Of its calls. */
  readonly isOfWrites: boolean;
  readonly isOfDeletes: boolean;
  readonly isOfQuestions: boolean;
  /** The hub does what it is asked, and fails all the same. */
  readonly isCarriedOut: boolean;
}

interface Draw {
  /** Of the records of a hub that has any. */
  readonly share: number;
  /** Of its rows: no page that holds one comes. */
  readonly rowShare: number;
  /** A page cannot be asked for beyond such a row. */
  readonly isDeadEnd: boolean;
  readonly hubs: ReadonlySet<string>;
}

/** Of the seeds. */
const SEEDS = 0.1;

/** Each id is refused, also three new ones; the answers may be late. */
const WRITES_OF_A_RECORD = 2 * 7;

/** Which records, and which rows of listings, the hubs of a seed always fail at. Its draws are its own. */
export class Poison {
  readonly #seed: number;
  readonly #draw: Draw | undefined;
  readonly #banes = new Map<string, Bane | undefined>();

  constructor(seed: number, share = SEEDS) {
    this.#seed = seed;
    const random = randomOf(seed, 'bad apples');
    this.#draw = random.chance(share) ? drawOf(random) : undefined;
  }

  get isDrawn(): boolean {
    return this.#draw !== undefined;
  }

  /** No step is too short for one such record. */
  adapt(knobs: Knobs): Knobs {
    if (!this.isDrawn) return knobs;
    const { policy, primary, secondary, scratch } = knobs;
    const writeMs = Math.max(...[primary, secondary, scratch].map((hub) => hub.writeMs));
    const stepBudgetMs = Math.max(policy.stepBudgetMs, WRITES_OF_A_RECORD * writeMs);
    return { ...knobs, policy: { ...policy, stepBudgetMs } };
  }

  isIn(hub: string): boolean {
    return this.#draw?.hubs.has(hub) === true;
  }

  isDeadEnd(): boolean {
    return this.#draw?.isDeadEnd === true;
  }

  /** Of a record: an installation, or a plain registration's device. */
  of(hub: string, { installationId, handle }: Pick<Description, 'installationId' | 'handle'>): Bane | undefined {
    if (this.#draw === undefined || !this.isIn(hub)) return undefined;
    const key = `${hub} ${installationId ?? handle}`;
    if (!this.#banes.has(key))
      this.#banes.set(key, drawBane(randomOf(this.#seed, `poison of ${key}`), this.#draw.share));
    return this.#banes.get(key);
  }

  isUnlistable(hub: string, id: string): boolean {
    if (this.#draw === undefined || this.#draw.rowShare === 0 || !this.isIn(hub)) return false;
    return randomOf(this.#seed, `poison in the listing of ${hub} ${id}`).chance(this.#draw.rowShare);
  }

  /** Of a page's rows those that come: it would hold the others, but comes without them, or not at all. */
  listable<R extends { readonly id: string }>(hub: string, rows: readonly R[]): readonly R[] {
    return rows.filter(({ id }) => !this.isUnlistable(hub, id));
  }
}

function drawOf(random: Random): Draw {
  const share = random.pick([0.05, 0.2, 0.2, 0.6]);
  const hasRows = random.chance(0.3);
  const rowShare = random.pick([0.03, 0.1]);
  const isDeadEnd = random.chance(0.3);
  const hubs = random.pick([['s'], ['s'], ['p'], ['p', 's'], ['s', 'x']]);
  return { share, rowShare: hasRows ? rowShare : 0, isDeadEnd, hubs: new Set(hubs) };
}

function drawBane(random: Random, share: number): Bane | undefined {
  if (!random.chance(share)) return undefined;
  const answer = random.pick(ANSWERS);
  const [isOfWrites, isOfDeletes] = random.pick([
    [true, false],
    [true, true],
    [false, true],
  ]);
  // What an accepted write does not keep is a write's.
  const isAccepted = answer === 'notKept' || answer === 'removedLater';
  const isOfQuestions = random.chance(0.15) && !isAccepted && answer !== 409 && answer !== 400;
  const mayBeCarriedOut = answer === 500 || answer === 'never';
  return {
    answer,
    isOfWrites: isOfWrites || isAccepted,
    isOfDeletes: isOfDeletes && !isAccepted && answer !== 400,
    isOfQuestions,
    isCarriedOut: random.chance(0.3) && mayBeCarriedOut,
  };
}
