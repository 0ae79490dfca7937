import { isSameHub } from '../paths.ts';
import type { RestoreRun } from '../run/run.ts';

/** What a restore's request sends again: what is not given is as usual. */
export interface RestoreBody
  extends Pick<RestoreRun['request'], 'leftovers' | 'resurrect' | 'activate' | 'only' | 'order'> {
  readonly snapshot: string;
  readonly target: string;
  readonly onConflict?: RestoreRun['request']['onConflict'];
  readonly dryRun?: boolean;
}

// Commands of the terminal tool without its name. None carries the name that it needs as confirmation: pasted, it would
// confirm nothing. The tool asks for it.

/** What would switch the hubs is a command of its own, which takes the latest snapshot. */
export function restoreOrSwitch(run: RestoreRun, body: RestoreBody): string {
  const { only, order, leftovers, resurrect, dryRun } = body;
  const isPlain = [only, order, leftovers, resurrect, dryRun].every((one) => one === undefined);
  if (body.activate !== true || !isPlain || run.request.askedSnapshot !== 'latest') return restoreCommand(body);
  return [wayOf(run), '--no-dry-run', ...wordsOf([['on-conflict', body.onConflict]])].join(' ');
}

/**
 * Which of the two a switch is for the person who calls it: back is into the hub that was in use first, also where the
 * other one was in use before. The terminal tool's commands go by the same.
 */
export function wayOf({ hub, terms, request }: RestoreRun): 'failover' | 'failback' {
  const first = terms?.[0];
  const isBack = first === undefined ? request.isFailback === true : isSameHub(first.hub, hub);
  return isBack ? 'failback' : 'failover';
}

/** The command that sends this body, so that records left out of one restore stay out of the next. */
function restoreCommand({ only, order = [], ...body }: RestoreBody): string {
  const words = wordsOf([
    ['snapshot', body.snapshot],
    ['target', body.target],
    ['only-platforms', only?.platforms?.join(',')],
    ['only-tags', only?.tags],
    ['only-installations', only?.installationIds?.join(',')],
    ['only-users', only?.userIds?.join(',')],
    ...order.map((group) => ['order', groupText(group)] as const),
    ['on-conflict', body.onConflict],
    ['leftovers', body.leftovers],
  ]);
  const flags = [body.resurrect && '--resurrect', body.activate && '--activate', body.dryRun && '--dry-run'];
  return ['restore', ...words, ...flags.filter(Boolean), '--watch'].join(' ');
}

function wordsOf(options: readonly (readonly [string, string | undefined])[]): string[] {
  return options.flatMap(([name, value]) => (value ? [`--${name} ${quoted(value)}`] : []));
}

type Group = NonNullable<RestoreBody['order']>[number];

function groupText({ platforms, tags }: Group): string {
  return [platforms && `platforms=${platforms.join(',')}`, tags && `tags=${tags}`].filter(Boolean).join(';');
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return /^[\w.,=:@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
