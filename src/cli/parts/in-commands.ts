import { tool } from './tool.ts';

/** What the API says in calls and fields of its own, and how it is done here. The first that matches wins. */
const translations: readonly (readonly [RegExp, string])[] = [
  [
    /Watch it at GET \/api\/\w+\/([\w.-]*\w), or cancel it/g,
    `Watch it: ${tool} watch $1; or stop it: ${tool} cancel $1`,
  ],
  [/Watch it at GET \/api\/\w+\/([\w.-]*\w)/g, `Watch it: ${tool} watch $1`],
  [/, or cancel it: GET \/api\/\w+\/([\w.-]*\w)/g, `: ${tool} watch $1; or stop it: ${tool} cancel $1`],
  [/POST \/api\/snapshots\/([\w.-]*\w)\/verify/g, `${tool} verify $1`],
  [/POST \/api\/restores\/([\w.-]*\w)\/(retry|rollback|cancel)/g, `${tool} $2 $1`],
  [/DELETE \/api\/snapshots\/([\w.-]*\w)\/pin/g, `${tool} unpin $1`],
  [/DELETE \/api\/snapshots\/([\w.-]*\w)/g, `${tool} delete $1`],
  [/POST \/api\/feedback with dryRun/g, `${tool} clean-up --dry-run`],
  [/POST \/api\/feedback with beyondBounds and confirm/g, `${tool} clean-up --beyond-bounds`],
  [/with beyondBounds and confirm/g, 'with --beyond-bounds'],
  [/POST \/api\/feedback/g, `${tool} clean-up`],
  [/GET \/api\/feedback/g, `${tool} feedback`],
  [/set the field keepNewer/g, 'add --keep-newer'],
  [/POST \/api\/backups/g, `${tool} backup`],
  [/POST \/api\/snapshots\/([\w.-]*\w)\/accept/g, `${tool} accept $1`],
  [/POST \/api\/alerts\/test/g, `${tool} test-alert`],
  [/POST \/api\/drills/g, `${tool} drill`],
  [/POST \/api\/restores\b(?!\/)/g, `${tool} restore`],
  [/POST \/api\/role \{"active":"([^"]+)"\}/g, `${tool} role $1`],
  [/POST \/api\/role/g, `${tool} role HUB`],
  [/repeat the call with force/g, 'repeat the command with --force'],
  [/GET \/api\/(snapshots|restores|backups|verifications|drills)\b(?!\/)/g, `${tool} $1`],
  [/GET \/api\/\w+\/([\w.-]*\w)/g, `${tool} watch $1`],
  [/With resurrect they/g, 'With --resurrect they'],
  [/repeat this full name in the field confirm/g, 'repeat this full name after --confirm'],
  [/The field confirm does/g, '--confirm does'],
  [/failuresByCode says why/g, '"failures" above says why'],
];

/** A full stop after a command would be pasted with it; a shell ends the command at a semicolon. */
const commandAtEnd = new RegExp(`(${tool} \\w+(?: [\\w./-]*\\w)?)\\.(?: ([A-Z])|$)`, 'g');

/** Fields of a request's body, as its faults quote them, and the options that set them. */
const optionsByField: Readonly<Record<string, string>> = {
  only: '--only-...',
  'only.platforms': '--only-platforms',
  'only.tags': '--only-tags',
  'only.installationIds': '--only-installations',
  'only.userIds': '--only-users',
  onConflict: '--on-conflict',
  dryRun: '--dry-run',
  keepNewer: '--keep-newer',
};

/** The same advice for someone at this terminal. */
export function inCommands(message: string): string {
  const own = message.startsWith('The request body') ? aboutOptions(message) : message;
  const translated = translations.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), own);
  return translated.replace(commandAtEnd, (_, command: string, next?: string) =>
    next === undefined ? command : `${command}; ${next.toLowerCase()}`,
  );
}

/** What is wrong with the body is wrong with an option; which fields there are is of no use here. */
function aboutOptions(message: string): string {
  return message
    .replace('The request body cannot be used', 'An option cannot be used')
    .replace(/'([a-z]\w*(?:\.[a-z]\w*)?)[\w.]*'(?=:| is not)/gi, (_, field: string) => optionOf(field))
    .replace(/ Send (?:nothing, or )?a JSON object .*$/s, ' Add --help to see the options.');
}

function optionOf(field: string): string {
  const name = field.startsWith('order') ? 'order' : field;
  return optionsByField[name] ?? `--${name}`;
}
