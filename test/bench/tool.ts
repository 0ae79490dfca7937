import { Command, CommanderError, InvalidArgumentError } from '@commander-js/extra-typings';

/** Runs a tool of the benchmark; a wrong option is a message and exit code 2. */
export async function runTool(tool: () => Promise<void>): Promise<void> {
  try {
    await tool();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  }
}

export function wholes(text: string): number[] {
  return text.split(',').map(wholeNumber);
}

export function wholeNumber(text: string): number {
  const number = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isInteger(number) && number >= 0) return number;
  throw new InvalidArgumentError('It takes whole numbers.');
}

/** What every measurement on the real stack takes on the command line. */
export function stackCommand(file: string, description: string) {
  return new Command(`node test/bench/${file}`)
    .description(description)
    .option('--devices <n>', 'devices in the primary hub', wholeNumber, 20_000)
    .option('--seed <n>', 'of the devices', wholeNumber, 1)
    .option('--runs <n>', 'how often, each on a fresh stack', wholeNumber, 1)
    .option('--json', 'one JSON object a run, and nothing else, on stdout', false)
    .exitOverride();
}

/** Measures `runs` times and prints each; a lost or doubled device is exit code 1. */
export async function printRuns<Run>(
  { runs, json }: { readonly runs: number; readonly json: boolean },
  measure: () => Promise<Run>,
  describe: (run: Run) => string,
  isGood: (run: Run) => boolean,
): Promise<void> {
  for (let number = 1; number <= runs; number += 1) {
    const run = await measure();
    process.stdout.write(`${json ? JSON.stringify(run) : describe(run)}\n`);
    if (!isGood(run)) process.exitCode = 1;
  }
}
