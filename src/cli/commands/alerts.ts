import type { Command } from '@commander-js/extra-typings';
import type { Run } from '../parts/context.ts';
import { exitCodes } from '../parts/errors.ts';
import { flagAt, textAt } from '../parts/json.ts';

export function addTestAlert(program: Command, run: Run): void {
  program
    .command('test-alert')
    .description('send an alert to ALERT_WEBHOOK_URL, and that it is over: does it arrive?')
    .action(
      run(async ({ client, show }) => {
        const body = await client.call('POST', '/api/alerts/test');
        const isTaken = flagAt(body, 'taken') === true;
        const refusal = `The webhook did NOT take it (${textAt(body, 'seen') ?? 'no reason seen'}). Put the right address into ALERT_WEBHOOK_URL.`;
        show(body, `${isTaken ? 'The webhook took it. Look whether it arrived where you read alerts.' : refusal}\n`);
        return isTaken ? exitCodes.done : exitCodes.failed;
      }),
    );
}
