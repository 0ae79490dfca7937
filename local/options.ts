import { type ParseArgsConfig, parseArgs } from 'node:util';

/**
 * Reads the command line. After `--help` and after a wrong option it prints the help and ends the process: 0 or 2.
 * Programs import what takes long to load after this.
 */
export function readOptions<const O extends NonNullable<ParseArgsConfig['options']>>(
  help: string,
  options: O,
  args: readonly string[] = process.argv.slice(2),
) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { ...options, help: { type: 'boolean', default: false } },
    });
    // TypeScript keeps no property of its own in a generic result.
    const { help: wantsHelp }: { readonly help?: unknown } = values;
    if (wantsHelp !== true) return values;
  } catch (error) {
    return refuse(help, error instanceof Error ? error.message : String(error));
  }
  process.stdout.write(help);
  return process.exit(0);
}

/** A whole number within its limits; otherwise the process ends as for any wrong option. */
export function wholeNumber(help: string, name: string, text: string, least = 0, most = Infinity): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= least && value <= most) return value;
  const limits = most === Infinity ? `from ${least}` : `from ${least} to ${most}`;
  return refuse(help, `--${name} must be a whole number ${limits}, not "${text}".`);
}

/** Says what is wrong and what is allowed, and ends the process with 2. */
export function refuse(help: string, message: string): never {
  process.stderr.write(`${message}\n\n${help}`);
  return process.exit(2);
}
