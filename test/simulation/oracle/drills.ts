import type { Drill } from '../../../src/core/readiness/drill.ts';
import type { Facts } from './facts.ts';
import { said } from './said.ts';

/** No device speaks at the scratch hub: a drill finds it empty and leaves it so. */
export function judgeDrill(facts: Facts, { id, verdict, scratchHub, failure = '' }: Drill): void {
  if (scratchHub === undefined) return;
  const rows = facts.rowsOf(scratchHub.namespace);
  if (verdict === 'Passed' && rows.length > 0) facts.violate('drillLeftRows', `${id} left ${rows.length} rows`);
  // What the hub carried out so late no drill has waited for.
  const isLate = rows.length > 0 && rows.every((row) => facts.isOfGivenUpCall(row));
  if (failure.includes(said.notOfADrill) && !isLate) facts.violate('drillDisowned', `${id}: ${failure}`);
}
