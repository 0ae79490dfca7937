import type { Command } from '@commander-js/extra-typings';
import { confirmed } from '../parts/confirmed.ts';
import type { Context, Run } from '../parts/context.ts';
import { formatCount, formatFacts, formatNumber, formatTable, paragraph } from '../parts/format.ts';
import { flagAt, type Json, listAt, numberAt, textAt } from '../parts/json.ts';
import { pathOf } from '../parts/runs.ts';

export function addFeedback(program: Command, run: Run): void {
  program
    .command('feedback [id]')
    .description(
      'what was removed from the standby because push services call it dead; the last clean-up without an id',
    )
    .action(
      run(async (context, id) => {
        const { client } = context;
        if (id !== undefined) return show(context, await client.call('GET', pathOf('feedback', id)));
        const view = await client.call('GET', '/api/feedback');
        const last = textAt(view, 'last', 'id');
        if (last !== undefined) return show(context, await client.call('GET', pathOf('feedback', last)));
        context.show(view, `No clean-up has ended yet. FEEDBACK_CLEANUP is ${textAt(view, 'mode') ?? 'off'}.\n`);
        return undefined;
      }),
    );
  program
    .command('clean-up')
    .description(
      'read what push services say now, and remove from the standby what they have called dead for long enough',
    )
    .option('--dry-run', 'say what would be removed')
    .option('--notification-id <id>', 'of a send: read its errors instead')
    .option('--beyond-bounds', 'also what is more than the bounds allow')
    .option('--confirm <namespace/hub>', 'full name of the standby, as confirmation')
    .action(
      run(async (context, options) =>
        show(context, await confirmed(context, options, (sent) => context.client.call('POST', '/api/feedback', sent))),
      ),
    );
}

/** Why nothing, or not all, was done. */
const heldTexts: Readonly<Record<string, string>> = {
  bound: 'nothing was removed: more is due than MAX_DELETE_PERCENT lets one clean-up remove',
  restore: 'nothing was removed: a restore runs; the next clean-up does it',
  role: 'nothing was removed: the role is in doubt (RoleUnsettled)',
  time: 'there was no time for all; the next clean-up continues',
};

const outcomeTexts: Readonly<Record<string, string>> = {
  wouldBeRemoved: 'would be removed',
  wouldBeRenewed: 'would get its new handle',
  renewed: 'has its new handle',
};

function show({ show: write, terminal }: Context, run: Json): undefined {
  const columns = terminal.resultColumns();
  const countAt = (...path: string[]): string => formatCount(numberAt(run, ...path) ?? 0);
  const isPreview = flagAt(run, 'isPreview') === true;
  const facts = formatFacts(
    [
      ['clean-up', textAt(run, 'id')],
      ['feedback of', textAt(run, 'hub')],
      ['standby', textAt(run, 'standby')],
      [
        'read',
        `${formatNumber(numberAt(run, 'read', 'verdicts') ?? 0, 'verdict')}: ${countAt('read', 'dead')} dead, ${countAt('read', 'renewed')} with a new handle`,
      ],
      ['in quiet period', countAt('marks', 'waiting')],
      [isPreview ? 'would remove' : 'removed', isPreview ? countAt('due') : countAt('removed')],
      ['held', heldTexts[textAt(run, 'held') ?? '']],
    ],
    15,
    columns,
  );
  const bursts = listAt(run, 'bursts').map((burst) =>
    paragraph(
      `Of ${textAt(burst, 'platform')}, push services called ${formatNumber(numberAt(burst, 'count') ?? 0, 'device')} dead within an hour: look at the push credentials. None of that platform is removed.`,
      columns,
    ),
  );
  const rows = listAt(run, 'items').map((item) => [
    outcomeTexts[textAt(item, 'outcome') ?? ''] ?? textAt(item, 'outcome') ?? '',
    textAt(item, 'kind') ?? '',
    textAt(item, 'platform') ?? '',
    textAt(item, 'deadAt') ?? '-',
    textAt(item, 'id') ?? '',
  ]);
  const headings = ['OUTCOME', 'KIND', 'PLATFORM', 'DEAD SINCE', 'ID'];
  const table = rows.length === 0 ? '' : formatTable(headings, rows, '', columns);
  write(run, `${facts}${bursts.join('')}${table}`);
}
