import type { Command } from './command.ts';
import { failures, pin, report, restores, snapshots, status, unpin } from './read-commands.ts';
import { backup, cancel, drill, restore, retry, rollback, verify, watchRun } from './run-commands.ts';

/** In the order a night goes. */
export const commands: readonly Command[] = [
  status,
  snapshots,
  backup,
  restore,
  watchRun,
  cancel,
  restores,
  report,
  failures,
  retry,
  rollback,
  verify,
  drill,
  pin,
  unpin,
];
