import type { HubStore } from '../hub-store.ts';
import type { Description, Row } from '../row.ts';
import type { Change, Deed, Subject } from './truth.ts';

export interface Violation {
  readonly kind: string;
  readonly at: number;
  readonly text: string;
}

export interface OracleParts {
  readonly now: () => number;
  readonly trace: (line: () => string) => void;
}

/** Knows what was written of each device, in the order in which that came into the storage, and judges what both hubs hold. */
export class Oracle {
  readonly #parts: OracleParts;
  readonly #subjects: Subject[] = [];
  readonly #deeds = new Map<string, Deed>();
  readonly violations: Violation[] = [];

  constructor(parts: OracleParts) {
    this.#parts = parts;
  }

  get kinds(): ReadonlySet<string> {
    return new Set(this.violations.map(({ kind }) => kind));
  }

  violate(kind: string, text: string): void {
    this.#parts.trace(() => `VIOLATION ${kind}: ${text}`);
    this.violations.push({ kind, at: this.#parts.now(), text });
  }

  add(subject: Subject): void {
    this.#subjects.push(subject);
  }

  begin(of: Subject, change: Change): Deed {
    const deed: Deed = { name: `deed${this.#deeds.size}`, of, change, isStored: false, answer: 'none' };
    this.#deeds.set(deed.name, deed);
    return deed;
  }

  /** An intent came into the storage. The first of each deed is its own; what follows only notes what became of it. */
  stored(name: string | undefined): void {
    const deed = name === undefined ? undefined : this.#deeds.get(name);
    if (deed === undefined || deed.isStored) return;
    deed.isStored = true;
    deed.of.deeds.push(deed);
    this.#parts.trace(() => `INTENDS ${deed.name} ${deed.of.id} ${JSON.stringify(deed.change)}`);
  }

  /** All is healed, and all that was to be done is done, or never will be. */
  end(stores: readonly HubStore[], waiting: readonly string[], messageCount: number): void {
    if (waiting.length > 0) this.violate('stuck', waiting.join(' '));
    if (messageCount > 0) this.violate('queueNotEmpty', `${messageCount}`);
    const held = stores.map((store) => ({ hub: store.name, rows: store.lastingRows() }));
    for (const { hub, rows } of held) {
      const isKnown = (row: Row): boolean => this.#subjects.some(({ tag }) => row.tags.includes(tag));
      for (const row of rows.filter((one) => !isKnown(one))) this.violate('ofNobody', `${hub}: ${tellRow(row)}`);
    }
    for (const subject of this.#subjects) {
      const [north = [], west = []] = held.map(({ rows }) => rows.filter(({ tags }) => tags.includes(subject.tag)));
      this.#judge(subject, north, west);
    }
  }

  #judge(subject: Subject, north: readonly Row[], west: readonly Row[]): void {
    const expected = subject.expected().map((word) => tellRows(subject.rows(word)));
    const most = subject.kind === 'installation' ? 2 : 1;
    const shown = [north, west].map(tellRows);
    const all = `${subject.id}: north ${shown[0]}; west ${shown[1]}`;
    if (north.length > most || west.length > most) this.violate('doubled', all);
    else if (shown[0] !== shown[1]) this.violate('hubsDiffer', all);
    else if (!expected.includes(shown[0] ?? '')) {
      const kind = subject.isErased ? 'erasedIsBack' : 'notTheNewest';
      this.violate(kind, `${all}; is to be ${expected.join(' or ')}`);
    }
  }
}

function tellRows(rows: readonly Description[]): string {
  return rows.length === 0 ? 'nothing' : rows.map(tellRow).sort().join(' and ');
}

function tellRow({ platform, handle, tags, body, installationId }: Description): string {
  return `${installationId ?? 'plain'} ${platform} ${handle} [${[...tags].sort().join(' ')}] ${body ?? ''}`;
}
