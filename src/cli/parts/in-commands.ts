import { inSeconds } from './format.ts';
import { tool } from './tool.ts';

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
  beyondBounds: '--beyond-bounds',
};

/** What the app says, with its commands as they are called here, and its instants to the second. */
export function inCommands(message: string): string {
  const own = message.startsWith('The request body') ? aboutOptions(message) : message;
  return inSeconds(own).replace(/(?<!npx )\bnotification-hubs-dr (?=[a-z-]+\b)/g, `${tool} `);
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
