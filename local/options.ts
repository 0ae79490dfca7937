import { type ParseArgsConfig, parseArgs } from 'node:util';
import { wrap } from '../src/cli/parts/format.ts';

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
  process.stdout.write(fitted(help, process.stdout.columns));
  return process.exit(0);
}

/** For what runs until a signal: where nothing reads its output any more, it still stops as usual. */
export function outliveReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}

/** Lines too wide for the screen continue below where their text begins, after an option's name. Unbroken in a pipe. */
export function fitted(text: string, columns = Number.POSITIVE_INFINITY): string {
  const fit = (line: string): string => {
    const [left = ''] = /^ *(?:-.*?\S {2,}(?=\S))?/.exec(line) ?? [];
    const width = columns - left.length;
    return line.length <= columns
      ? line
      : left + wrap(line.slice(left.length), width).join(`\n${' '.repeat(left.length)}`);
  };
  return text.split('\n').map(fit).join('\n');
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
  process.stderr.write(fitted(`${message}\n\n${help}`, process.stderr.columns));
  return process.exit(2);
}
