import { contentOf, type Description } from './row.ts';

/** What a device said of itself at a hub: what it is now, or that it is gone. */
export interface Word {
  readonly number: number;
  readonly device: number;
  readonly hub: string;
  readonly at: number;
  readonly content: Content | 'out';
}

export interface Content {
  readonly number: number;
  readonly platform: Description['platform'];
  readonly handle: string;
  readonly tags: readonly string[];
  /** Of its template, where it has one. */
  readonly body: string | undefined;
  readonly installationId: string | undefined;
}

/** Everything that was ever said, which no hub and no snapshot holds. */
export class Truth {
  readonly #words: Word[] = [];
  readonly #byDevice = new Map<number, Word[]>();
  readonly #deviceOfHandle = new Map<string, number>();
  #contentCount = 0;

  newContentNumber(): number {
    this.#contentCount += 1;
    return this.#contentCount;
  }

  say(word: Omit<Word, 'number'>): Word {
    const said = { ...word, number: this.#words.length };
    this.#words.push(said);
    const own = this.#byDevice.get(word.device) ?? [];
    own.push(said);
    this.#byDevice.set(word.device, own);
    if (word.content !== 'out') {
      this.#deviceOfHandle.set(word.content.handle, word.device);
    }
    return said;
  }

  words(): readonly Word[] {
    return this.#words;
  }

  /** Oldest first. */
  wordsOf(device: number): readonly Word[] {
    return this.#byDevice.get(device) ?? [];
  }

  lastWordOf(device: number): Word | undefined {
    return this.#byDevice.get(device)?.at(-1);
  }

  /** What it last said there. */
  lastWordAt(device: number, hub: string): Word | undefined {
    return this.#byDevice.get(device)?.findLast((word) => word.hub === hub);
  }

  /** -1 for a handle no device ever had. */
  deviceOf({ handle }: Pick<Description, 'handle'>): number {
    return this.#deviceOfHandle.get(handle) ?? -1;
  }

  /** The newest word that what a row says can stem from; `undefined` when no device ever said it. */
  wordOf(row: Description): Word | undefined {
    const number = contentOf(row);
    const own = this.#byDevice.get(this.deviceOf(row));
    return own?.findLast(({ content }) => content !== 'out' && content.number === number);
  }
}
