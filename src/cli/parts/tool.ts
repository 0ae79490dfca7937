import { relative } from 'node:path';

const [, program = ''] = process.argv;

/** How this tool was called, as its one file or as in a clone: what is printed can be pasted. */
export const tool = program.endsWith('notification-hubs-dr.mjs')
  ? `node ${relative(process.cwd(), program)}`
  : 'npx notification-hubs-dr';

/** A command line as it is pasted into a POSIX shell. The key is not repeated. */
export function calledAs(argv: readonly string[]): string {
  const words = argv.filter((word, at) => word !== '--key' && argv[at - 1] !== '--key' && !word.startsWith('--key='));
  return [tool, ...words.map(quoted)].join(' ');
}

function quoted(word: string): string {
  return /^[\w.,=:@%+/-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

export const version = '1.0.0';
