import { type InstallationBody, rowsOf } from '../installation-body.ts';
import type { Description } from '../row.ts';

/** What a device is to be. */
export type Word = Pick<InstallationBody, 'platform' | 'handle' | 'tags' | 'body'>;

export type Change =
  | { readonly kind: 'put'; readonly word: Word }
  | { readonly kind: 'delete' }
  | { readonly kind: 'tag'; readonly tag: string }
  | { readonly kind: 'handle'; readonly handle: string };

/** One call of a backend for a device. */
export interface Deed {
  readonly name: string;
  readonly of: Subject;
  readonly change: Change;
  /** What was intended came into the storage. */
  isStored: boolean;
  /** `notTaken`: its caller hears that the hub in use has no such device, or does not take this of it. */
  answer: 'none' | 'notTaken' | 'answered';
}

/** A device under one id: what is written of it, in the order in which that came into the storage. */
export class Subject {
  readonly kind: 'installation' | 'registration';
  readonly id: string;
  readonly deeds: Deed[] = [];
  isErased = false;

  constructor(kind: Subject['kind'], id: string) {
    this.kind = kind;
    this.id = id;
  }

  /** The tag by which each of its rows is known. */
  get tag(): string {
    return `of-${this.id}`;
  }

  /**
   * What both hubs may hold in the end: the newest that they take. A patch of what they do not take may go with it, since
   * it may have been sent as a part of that.
   */
  expected(): readonly (Word | 'nothing')[] {
    let possible: readonly (Word | 'nothing')[] = ['nothing'];
    let isOverBad = false;
    for (const { change, answer } of this.deeds) {
      if (change.kind === 'put' || change.kind === 'delete') isOverBad = isTooLarge(change);
      if (answer === 'notTaken') continue;
      if (isOverBad && (change.kind === 'put' || change.kind === 'delete')) continue;
      if (change.kind === 'put') possible = [change.word];
      else if (change.kind === 'delete') possible = ['nothing'];
      else {
        const patched = possible.map((word) => (word === 'nothing' ? word : changed(word, change)));
        possible = isOverBad ? [...possible, ...patched] : patched;
      }
    }
    return possible;
  }

  /** Whether nothing came after that deed, and before it the device had been written, as hubs take it. */
  isPlainlyThereFor(deed: Deed): boolean {
    if (this.deeds.at(-1) !== deed || this.deeds.some(({ change }) => isTooLarge(change))) return false;
    const before = new Subject(this.kind, this.id);
    before.deeds.push(...this.deeds.slice(0, -1));
    return before.expected().every((word) => word !== 'nothing');
  }

  /** Its rows as a word makes them. */
  rows(word: Word | 'nothing'): Description[] {
    if (word === 'nothing') return [];
    if (this.kind === 'registration') return [{ ...word, installationId: undefined }];
    return rowsOf({ ...word, installationId: this.id, expiresAt: undefined });
  }
}

/** More tags than a hub takes. */
export const TOO_MANY_TAGS = 61;

export function isTooLarge(change: Change): boolean {
  return change.kind === 'put' && change.word.tags.length >= TOO_MANY_TAGS;
}

export function changed<T extends Word>(word: T, change: Change): T {
  switch (change.kind) {
    case 'tag':
      return { ...word, tags: [...word.tags.filter((tag) => tag !== change.tag), change.tag] };
    case 'handle':
      return { ...word, handle: change.handle };
    default:
      return word;
  }
}
