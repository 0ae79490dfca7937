import { CommanderError } from '@commander-js/extra-typings';
import { exitCodes, Fault, isFault } from './parts/errors.ts';
import { say, type Terminal } from './parts/terminal.ts';
import { runProgram } from './program.ts';

/** Runs one command line and gives its exit code. Every fault becomes a message on stderr. */
export async function runCli(argv: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await runProgram(argv, terminal);
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.done;
    const { kind, facts } = error instanceof Fault ? error : { kind: 'unexpected' as const, facts: {} };
    const isWrongUse = kind === 'wrongUse' || error instanceof CommanderError;
    const message = messageOf(error);
    if (argv.includes('--json') && kind !== 'interrupted') {
      const code = isWrongUse ? 'WrongUse' : (facts.code ?? (kind === 'unexpected' ? 'Unexpected' : 'NotReached'));
      terminal.out(`${JSON.stringify({ error: { code, message } }, undefined, 2)}\n`);
    }
    // The parser has written its own message.
    if (!(error instanceof CommanderError)) say(terminal, `${facts.code ? `${facts.code}: ` : ''}${message}`);
    if (facts.command !== undefined) terminal.err(`To confirm: ${facts.command}\n`);
    if (kind === 'interrupted') return exitCodes.interrupted;
    return isWrongUse ? exitCodes.wrongUse : exitCodes.failed;
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof CommanderError) return error.message.replace(/^error: /, '');
  const advice = ' Check the address and the network, and that the app is running, then try again.';
  return isFault(error, 'unreachable') ? `${error.message}${advice}` : error.message;
}
