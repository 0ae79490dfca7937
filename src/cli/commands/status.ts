import type { Command } from '@commander-js/extra-typings';
import { renderCard } from '../card.ts';
import type { Run } from '../context.ts';
import { exitCodes } from '../errors.ts';
import { textAt } from '../json.ts';

export function addStatus(program: Command, run: Run): void {
  program
    .command('status')
    .description('would a failover work now? Shows the readiness card')
    .action(
      run(async ({ client, terminal, show }) => {
        const card = await client.call('GET', '/api/status');
        show(card, renderCard(card, terminal.now()));
        return textAt(card, 'verdict') === 'NotReady' ? exitCodes.failed : exitCodes.done;
      }),
    );
}
