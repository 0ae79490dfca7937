import { type Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { confirmed } from '../parts/confirmed.ts';
import { type Run, watchOption } from '../parts/context.ts';
import { newId } from '../parts/new-id.ts';
import { pathOf, startRun } from '../parts/runs.ts';

interface Group {
  readonly platforms?: readonly string[];
  readonly tags?: string;
}

const platforms = 'Apple, FcmV1, Gcm, Windows, Mpns, Adm, Baidu, Browser, Xiaomi';
const orderHelp =
  'restore these first: platforms=A,B or tags=EXPR, or both separated by ";"; repeat for the next group';

export function addRestore(program: Command, run: Run): void {
  program
    .command('restore')
    .description('restore the hub in use, from its latest good snapshot, into the standby')
    .option('--snapshot <id>', 'from "snapshots"; default: the latest good one')
    .addOption(
      new Option('--target <hub>', 'hub to write to; default: standby').choices(['standby', 'secondary', 'primary']),
    )
    .option('--dry-run', 'count what would be written, and write nothing')
    .option('--confirm <namespace/hub>', 'full name of the hub to write to, as confirmation')
    .addOption(
      new Option('--on-conflict <what>', 'records that differ in both hubs; default: keep what the target has').choices(
        ['keep', 'overwrite'],
      ),
    )
    .addOption(
      new Option(
        '--leftovers <what>',
        'what the source no longer holds; default: remove it from the target, too (withdraw)',
      ).choices(['withdraw', 'keep']),
    )
    .option('--activate', 'make the target the hub in use when all that can be written is; needs --confirm')
    .option('--resurrect', 'create again what has gone from a hub since the snapshot')
    .option(...watchOption)
    .option('--note <text>', 'who asks and why, for the report')
    .option('--id <id>', 'an id of your own; repeating the call finds the same run')
    .option('--only-platforms <names>', `only these platforms: ${platforms}`, parseNames)
    .option('--only-tags <expr>', 'only devices whose tags match, such as "(news && !beta) || vip"')
    .option('--only-installations <ids>', 'only these installations', parseNames)
    .option('--only-users <ids>', 'only devices of these users', parseNames)
    .option('--order <group>', orderHelp, (text, groups: readonly Group[] = []) => [...groups, parseGroup(text)])
    .action(
      run(async (context, options) => {
        const { id, watch, onlyPlatforms, onlyTags, onlyInstallations, onlyUsers, ...rest } = options;
        const only = {
          platforms: onlyPlatforms,
          tags: onlyTags,
          installationIds: onlyInstallations,
          userIds: onlyUsers,
        };
        const isSelective = Object.values(only).some((value) => value !== undefined);
        // The id is ours, so that a call whose answer was lost can be repeated without starting a second restore.
        const path = pathOf('restores', id ?? newId(context.terminal.now()));
        const body = isSelective ? { ...rest, only } : rest;
        return confirmed(context, body, (sent) =>
          startRun(context, { collection: 'restores', method: 'PUT', path, body: sent }, watch),
        );
      }),
    );
}

function parseNames(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim());
  if (!names.includes('')) return names;
  throw new InvalidArgumentError('Separate names with commas, such as Apple,FcmV1.');
}

/** `platforms=Apple,FcmV1`, `tags=vip && !beta`, or both separated by `;`. */
function parseGroup(text: string): Group {
  const group: Group = {};
  for (const part of text.split(';')) {
    const [, name, value] = /^\s*(platforms|tags)\s*=\s*(.*\S)\s*$/s.exec(part) ?? [];
    if (name === undefined || value === undefined || name in group) {
      throw new InvalidArgumentError('Write platforms=Apple,FcmV1 or tags=EXPRESSION, or both separated by ";".');
    }
    Object.assign(group, name === 'tags' ? { tags: value } : { platforms: parseNames(value) });
  }
  return group;
}
