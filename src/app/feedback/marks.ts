import type { Mark } from '../../core/feedback/mark.ts';
import { feedbackMarksName } from '../../core/paths.ts';
import type { App } from '../app.ts';
import { sha256Hex } from '../stored/codec.ts';
import { documents } from '../stored/documents.ts';

const DIGITS = [...'0123456789abcdef'];
/** Of one part: what was done with the oldest is forgotten for newer ones. */
const MOST_MARKS = 8_000;

export interface MarksPart {
  readonly digit: string;
  readonly marks: readonly Mark[];
  readonly etag: string | undefined;
}

/** Handles never name a document, and are compared by this. */
export function hashOfHandle({ platform, handle }: { readonly platform: string; readonly handle: string }): string {
  return sha256Hex(`${platform.toLowerCase()} ${handle}`);
}

/** All parts. One that cannot be read is logged and begins again with what is said from now on. */
export function readMarks(app: App): Promise<MarksPart[]> {
  return Promise.all(
    DIGITS.map(async (digit) => {
      const { value, etag } = await documents.feedbackMarks.tryFind(app, feedbackMarksName(digit), 'mayBeMissing');
      return { digit, marks: value?.marks ?? [], etag };
    }),
  );
}

/** Stores the parts that changed, and gives their ETags. One clean-up runs at a time, so that nothing is overwritten. */
export async function storeMarks(app: App, before: readonly MarksPart[], marks: readonly Mark[]): Promise<MarksPart[]> {
  const byDigit = Map.groupBy(marks, ({ hash }) => hash[0]);
  return Promise.all(
    before.map(async (part) => {
      const own = (byDigit.get(part.digit) ?? []).toSorted((a, b) => b.at - a.at).slice(0, MOST_MARKS);
      if (JSON.stringify(own) === JSON.stringify(part.marks)) return part;
      const name = feedbackMarksName(part.digit);
      const { etag } = part;
      const written = await documents.feedbackMarks.write(app, name, { marks: own }, { etag });
      if (written !== 'conflict') return { ...part, marks: own, etag: written };
      app.log.warn('feedback was processed by another clean-up', { digit: part.digit });
      return part;
    }),
  );
}
