import type { Command } from '@commander-js/extra-typings';
import type { Context, Run } from '../parts/context.ts';
import { formatTable } from '../parts/format.ts';
import { fullNameAt, type Json, listAt, textAt } from '../parts/json.ts';

export function addCompare(program: Command, run: Run): void {
  program
    .command('compare')
    .description('in which settings the two hubs differ: push credentials, tier, access policies, IP rules')
    .action(run(compare));
}

async function compare({ client, show }: Context): Promise<undefined> {
  const found = await client.call('POST', '/api/metadata/compare');
  const rows = listAt(found, 'differences').map((one) => [
    textAt(one, 'what') ?? '',
    textAt(one, 'primary') ?? '',
    textAt(one, 'secondary') ?? '',
  ]);
  const unknown = listAt(found, 'unknown').map(
    (one) => `not compared: ${textAt(one, 'hub')}: ${textAt(one, 'reason')}\n`,
  );
  const nothing = unknown.length > 0 ? 'No difference in what could be compared.' : 'No difference.';
  show(
    found,
    `${formatTable(['SETTING', nameOf(found, 'primary'), nameOf(found, 'secondary')], rows, nothing)}${unknown.join('')}`,
  );
}

function nameOf(found: Json, which: 'primary' | 'secondary'): string {
  return `${which.toUpperCase()} ${fullNameAt(found, which) ?? ''}`.trim();
}
