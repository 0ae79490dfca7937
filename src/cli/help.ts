import type { Command } from './command.ts';
import { commands } from './commands.ts';
import { formatTable } from './format.ts';
import type { OptionName } from './options.ts';

const explained: Readonly<Record<OptionName, readonly [form: string, meaning: string]>> = {
  url: ['--url URL', 'address of the app, else NOTIFICATION_HUBS_DR_URL'],
  key: ['--key KEY', 'function key, else NOTIFICATION_HUBS_DR_KEY, else asked for. A flag shows in process lists!'],
  json: ['--json', 'one JSON document on stdout; messages go to stderr'],
  help: ['-h, --help', 'this help; after a command, its own'],
  watch: ['--watch', 'stay until it is over; Ctrl-C ends the watching, not the run'],
  snapshot: ['--snapshot ID', 'of "snapshots"; the latest good one when absent'],
  target: ['--target ROLE', 'secondary (default) or primary'],
  'dry-run': ['--dry-run', 'count what would be written, and write nothing'],
  'only-platforms': [
    '--only-platforms A,B',
    'only devices of these: Apple, FcmV1, Gcm, Windows, Mpns, Adm, Baidu, Browser, Xiaomi',
  ],
  'only-tags': ['--only-tags EXPR', 'only devices whose tags match, such as "(news && !beta) || vip"'],
  'only-installations': ['--only-installations A,B', 'only these installations'],
  'only-users': ['--only-users A,B', 'only devices of these users'],
  order: [
    '--order GROUP',
    'these first: platforms=A,B or tags=EXPR or both with a ";" between; give it again for the next',
  ],
  confirm: ['--confirm NAME', 'the name of the hub that is written to, typed back'],
  note: ['--note TEXT', 'who asks and why; stands in the report'],
  id: ['--id ID', 'an id of your own; the same call again finds its run'],
};

/** The whole tool, or one command. */
export function helpText(command?: Command): string {
  return command === undefined ? overview() : helpOf(command);
}

function overview(): string {
  const rows = commands.map(({ name, argument, summary }) => [
    `  ${name}${argument === undefined ? '' : ` ${argument}`}`,
    summary,
  ]);
  return `notification-hubs-dr: backup and restore of Azure Notification Hubs, over the app's HTTP API.

  notification-hubs-dr COMMAND [options]

${formatTable(rows)}
${optionTable(['url', 'key', 'json', 'help'])}
Exit codes: 0 done; 1 failed, refused or NotReady; 2 wrong use; 3 restored, but not every record (RestoreIncomplete);
130 interrupted. docs/RUNBOOK.md walks through a failover.
`;
}

function helpOf({ name, argument, summary, options }: Command): string {
  return `notification-hubs-dr ${name}${argument === undefined ? '' : ` ${argument}`} [options]: ${summary}

${optionTable([...options, 'url', 'key', 'json', 'help'])}`;
}

function optionTable(names: readonly OptionName[]): string {
  return formatTable(names.map((name) => [`  ${explained[name][0]}`, explained[name][1]]));
}
