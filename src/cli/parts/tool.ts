import { relative } from 'node:path';

const [, program = ''] = process.argv;

/** How this tool was called, as its one file or as in a clone: what is printed can be pasted. */
export const tool = program.endsWith('notification-hubs-dr.mjs')
  ? `node ${relative(process.cwd(), program)}`
  : 'npx notification-hubs-dr';

export const version = '1.0.0';
