import { WrongUse } from './errors.ts';
import type { Values } from './options.ts';

/** The body of `POST /api/restores` that the options ask for; what was not asked for is not sent. */
export function restoreBody(values: Values): Readonly<Record<string, unknown>> {
  const { snapshot, target, confirm, note } = values;
  if (target !== undefined && target !== 'primary' && target !== 'secondary') {
    throw new WrongUse('--target must be secondary (the default) or primary: the two hubs the app is configured with.');
  }
  const only = present({
    platforms: names('only-platforms', values['only-platforms']),
    tags: values['only-tags'],
    installationIds: names('only-installations', values['only-installations']),
    userIds: names('only-users', values['only-users']),
  });
  return present({
    snapshot,
    target,
    dryRun: values['dry-run'],
    confirm,
    note,
    only: Object.keys(only).length === 0 ? undefined : only,
    order: values.order?.map(parseGroup),
  });
}

/** `platforms=Apple,FcmV1`, `tags=vip && !beta`, or both with a `;` between them. */
function parseGroup(text: string): Readonly<Record<string, unknown>> {
  const group: Record<string, unknown> = {};
  for (const part of text.split(';')) {
    const [, name, value] = /^\s*(platforms|tags)\s*=\s*(.*\S)\s*$/s.exec(part) ?? [];
    if (name === undefined || value === undefined || name in group) {
      throw new WrongUse(`--order ${text}: write platforms=Apple,FcmV1 or tags=EXPRESSION, or both with a ; between.`);
    }
    group[name] = name === 'tags' ? value : names('order', value);
  }
  return group;
}

function names(option: string, text: string | undefined): string[] | undefined {
  if (text === undefined) return undefined;
  const found = text.split(',').map((name) => name.trim());
  if (!found.includes('')) return found;
  throw new WrongUse(`--${option} takes names with commas between them, such as Apple,FcmV1.`);
}

function present(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
