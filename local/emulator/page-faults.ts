import { z } from 'zod';
import type { Row } from './row.ts';

/** What can be wrong with one page of a list. */
export const pageFaultSchema = z.literal(['repeat-token', 'empty', 'repeat-rows']);

export type PageFault = z.infer<typeof pageFaultSchema>;

/** One page of a list; the token as text, neither encoded nor in base64. */
export interface Page {
  readonly rows: readonly Row[];
  readonly nextToken: string | undefined;
}

/**
 * The page as a faulty service gives it. @param start token that leads to this very page.
 * - repeat-token: leads to this page again, as often as the fault acts
 * - empty: no rows, and a new token for the same place, so that a client that continues misses nothing
 * - repeat-rows: the first half of the rows once more at the end
 */
export function distort(page: Page, fault: PageFault, start: string): Page {
  switch (fault) {
    case 'repeat-token':
      return { ...page, nextToken: start };
    case 'empty':
      return { rows: [], nextToken: `${start};empty` };
    case 'repeat-rows':
      return { ...page, rows: [...page.rows, ...page.rows.slice(0, Math.ceil(page.rows.length / 2))] };
    default:
      return fault satisfies never;
  }
}
