import { joined } from './format.ts';
import { flagAt, type Json, listAt, objectAt, textAt } from './json.ts';

/**
 * The API's next actions as command lines without the tool's name. Actions without a command are left out. None carries
 * the confirmation it needs: pasted, it would confirm nothing.
 */
export function nextCommands(view: Json): readonly string[] {
  return listAt(view, 'nextActions').flatMap((action) => {
    // The href names the run that is acted on: a failed rollback leads to rolling back its restore, not itself.
    const id = /^\/api\/\w+\/([^/]+)/.exec(textAt(action, 'href') ?? '')?.[1] ?? textAt(view, 'id') ?? '';
    const name = textAt(action, 'name') ?? '';
    if (name === 'restore' || name === 'restoreAgain') return [restoreCommand(objectAt(action, 'body'))];
    if (reading.has(name)) return [`${name} ${id}`];
    return starting.has(name) ? [`${name} ${id} --watch`] : [];
  });
}

const reading: ReadonlySet<string> = new Set(['watch', 'cancel', 'failures', 'report']);
const starting: ReadonlySet<string> = new Set(['retry', 'rollback', 'verify']);

/** The command that sends this body, so that records left out of one restore stay out of the next. */
function restoreCommand(body: Json): string {
  const only = objectAt(body, 'only');
  const options: readonly (readonly [string, string | undefined])[] = [
    ['snapshot', textAt(body, 'snapshot')],
    ['target', textAt(body, 'target')],
    ['only-platforms', joinedAt(only, 'platforms')],
    ['only-tags', textAt(only, 'tags')],
    ['only-installations', joinedAt(only, 'installationIds')],
    ['only-users', joinedAt(only, 'userIds')],
    ...listAt(body, 'order').map((group) => ['order', groupText(group)] as const),
    ['note', textAt(body, 'note')],
  ];
  const words = options.flatMap(([name, value]) => (value === undefined ? [] : [`--${name} ${quoted(value)}`]));
  return ['restore', ...words, ...flagsOf(body), '--watch'].join(' ');
}

function flagsOf(body: Json): string[] {
  return [
    ...(flagAt(body, 'activate') === true ? ['--activate'] : []),
    ...(flagAt(body, 'dryRun') === true ? ['--dry-run'] : []),
  ];
}

function joinedAt(from: unknown, name: string): string | undefined {
  return listAt(from, name).map(String).join(',') || undefined;
}

function groupText(group: unknown): string {
  const platforms = joinedAt(group, 'platforms');
  const tags = textAt(group, 'tags');
  return joined(';', [platforms && `platforms=${platforms}`, tags && `tags=${tags}`]);
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return /^[\w.,=:@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
