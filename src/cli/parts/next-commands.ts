import { joined } from './format.ts';
import { flagAt, type Json, listAt, objectAt, textAt } from './json.ts';

/**
 * The API's next actions as command lines without the tool's name. Actions without a command are left out. None carries
 * the name it needs as confirmation, but the place for it: pasted, it would confirm nothing.
 */
export function nextCommands(view: Json): readonly string[] {
  return listAt(view, 'nextActions').flatMap((action) => {
    // The href names the run that is acted on: a failed rollback leads to rolling back its restore, not itself.
    const id = /^\/api\/\w+\/([^/]+)/.exec(textAt(action, 'href') ?? '')?.[1] ?? textAt(view, 'id') ?? '';
    const name = textAt(action, 'name') ?? '';
    if (name === 'restore' || name === 'restoreAgain') return [restoreOrSwitch(view, objectAt(action, 'body'))];
    if (reading.has(name)) return [`${name} ${id}`];
    if (name === 'backup') return ['backup --watch'];
    const confirm = flagAt(action, 'needsConfirm') === true ? ' --confirm NAMESPACE/HUB' : '';
    return starting.has(name) ? [`${name} ${id}${confirm} --watch`] : [];
  });
}

const reading: ReadonlySet<string> = new Set(['watch', 'cancel', 'failures', 'report']);
const starting: ReadonlySet<string> = new Set(['retry', 'rollback', 'verify']);

/** What would switch the hubs is a command of its own, which takes the latest snapshot and asks for the hub's name. */
function restoreOrSwitch(view: Json, body: Json): string {
  const isPlain = ['only', 'order', 'leftovers', 'resurrect', 'dryRun'].every((name) => !(name in body));
  const isLatest = textAt(view, 'snapshot', 'asked') === 'latest';
  if (flagAt(body, 'activate') !== true || !isPlain || !isLatest) return restoreCommand(body);
  const name = flagAt(view, 'isFailback') === true ? 'failback' : 'failover';
  const words = wordsOf([
    ['on-conflict', textAt(body, 'onConflict')],
    ['note', textAt(body, 'note')],
  ]);
  return [name, '--no-dry-run', ...words].join(' ');
}

/** The command that sends this body, so that records left out of one restore stay out of the next. */
function restoreCommand(body: Json): string {
  const only = objectAt(body, 'only');
  const words = wordsOf([
    ['snapshot', textAt(body, 'snapshot')],
    ['target', textAt(body, 'target')],
    ['only-platforms', joinedAt(only, 'platforms')],
    ['only-tags', textAt(only, 'tags')],
    ['only-installations', joinedAt(only, 'installationIds')],
    ['only-users', joinedAt(only, 'userIds')],
    ...listAt(body, 'order').map((group) => ['order', groupText(group)] as const),
    ['on-conflict', textAt(body, 'onConflict')],
    ['leftovers', textAt(body, 'leftovers')],
    ['note', textAt(body, 'note')],
  ]);
  return ['restore', ...words, ...flagsOf(body), '--watch'].join(' ');
}

function wordsOf(options: readonly (readonly [string, string | undefined])[]): string[] {
  return options.flatMap(([name, value]) => (value === undefined ? [] : [`--${name} ${quoted(value)}`]));
}

function flagsOf(body: Json): string[] {
  return [
    ...(flagAt(body, 'resurrect') === true ? ['--resurrect'] : []),
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
