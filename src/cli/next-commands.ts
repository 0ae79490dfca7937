import { flagAt, isObject, type Json, listAt, objectAt, textAt } from './json.ts';

/** The API's next actions as command lines of this tool, without its name, as far as it has them. */
export function nextCommands(view: Json): string[] {
  const hub = quoted(textAt(view, 'target', 'hub') ?? 'HUB');
  return listAt(view, 'nextActions').flatMap((action) => {
    // A failed rollback leads to the rollback of the restore it was of, and not of itself.
    const id = /^\/api\/\w+\/([^/]+)/.exec(textAt(action, 'href') ?? '')?.[1] ?? textAt(view, 'id') ?? '';
    const confirm = flagAt(action, 'needsConfirm') === true ? ` --confirm ${hub}` : '';
    const name = textAt(action, 'name') ?? '';
    if (name === 'restore' || name === 'restoreAgain') return [`${restoreCommand(objectAt(action, 'body'))}${confirm}`];
    if (lookingOn.has(name)) return [`${name} ${id}`];
    return startingOn.has(name) ? [`${name} ${id}${confirm} --watch`] : [];
  });
}

const lookingOn = new Set(['watch', 'cancel', 'failures', 'report']);
const startingOn = new Set(['retry', 'rollback', 'verify']);

/** The command that sends this body, so that what was left out of a restore stays left out of the next. */
function restoreCommand(body: Json): string {
  const only = objectAt(body, 'only');
  const options: readonly (readonly [string, string | undefined])[] = [
    ['snapshot', textAt(body, 'snapshot')],
    ['target', textAt(body, 'target')],
    ['only-platforms', joined(only, 'platforms')],
    ['only-tags', textAt(only, 'tags')],
    ['only-installations', joined(only, 'installationIds')],
    ['only-users', joined(only, 'userIds')],
    ...listAt(body, 'order').map((group) => ['order', groupText(group)] as const),
    ['note', textAt(body, 'note')],
  ];
  const words = options.flatMap(([name, value]) => (value === undefined ? [] : [`--${name} ${quoted(value)}`]));
  return ['restore', ...words, ...(flagAt(body, 'dryRun') === true ? ['--dry-run'] : []), '--watch'].join(' ');
}

function joined(from: Json, name: string): string | undefined {
  return name in from ? listAt(from, name).join(',') : undefined;
}

function groupText(group: unknown): string {
  const from = isObject(group) ? group : {};
  const parts = [
    ['platforms', joined(from, 'platforms')],
    ['tags', textAt(from, 'tags')],
  ];
  return parts.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])).join(';');
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return /^[\w.,=:@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
