import { randomBytes } from 'node:crypto';
import { type Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { type Context, type Run, watchOption } from '../parts/context.ts';
import { isFault } from '../parts/errors.ts';
import { pathOf, type Start, startRun } from '../parts/runs.ts';

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
    .description('restore a snapshot into the secondary hub')
    .option('--snapshot <id>', 'from "snapshots"; default: the latest good one')
    .addOption(new Option('--target <role>', 'hub to write to; default: secondary').choices(['secondary', 'primary']))
    .option('--dry-run', 'count what would be written, and write nothing')
    .option('--confirm <namespace/hub>', 'full name of the hub to write to, as confirmation')
    .addOption(
      new Option('--on-conflict <what>', 'what differs in both hubs; default: keep it').choices(['keep', 'overwrite']),
    )
    .addOption(
      new Option('--leftovers <what>', 'what the source no longer holds; default: withdraw it').choices([
        'withdraw',
        'keep',
      ]),
    )
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
        return restore(context, { collection: 'restores', method: 'PUT', path, body }, watch);
      }),
    );
}

/** Asks for the hub's full name when the restore would write to the hub that the snapshot came from. */
async function restore(context: Context, start: Start & { body: { confirm?: string } }, watch?: true): Promise<number> {
  try {
    return await startRun(context, start, watch);
  } catch (error) {
    const { ask, err } = context.terminal;
    const isAsked = isFault(error, 'refused', 'TargetIsSource') && start.body.confirm === undefined;
    if (!isAsked || ask === undefined) throw error;
    err(`${error.message}\n`);
    const confirm = await ask('To confirm, type the full name of the hub, namespace/hub: ');
    return startRun(context, { ...start, body: { ...start.body, confirm } }, watch);
  }
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

/** In the app's form, so that ids sort by time: `2026-11-23T09-38-02Z-1a2b3c`. */
function newId(nowMs: number): string {
  return `${new Date(nowMs).toISOString().slice(0, 19).replaceAll(':', '-')}Z-${randomBytes(3).toString('hex')}`;
}
