import { readFile, writeFile } from 'node:fs/promises';

/** What a process has used, by the kernel's account (Linux). */
export interface ProcessCost {
  /** User and system time since it began. */
  readonly cpuSeconds: number;
  /** The most memory it held at once since it began, or since `forgetPeak`. */
  readonly peakBytes: number;
}

/** Of the kernel's clock in /proc; 100 on every Linux that Node runs on (proc_pid_stat(5), sysconf(_SC_CLK_TCK)). */
const TICKS_PER_SECOND = 100;

export async function readCost(pid: number): Promise<ProcessCost> {
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/status`, 'utf8'),
  ]);
  // The name, which may hold blanks, ends at the last bracket; user and system time are the 14th and 15th field.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  const peakKilobytes = Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]);
  return { cpuSeconds: ticks / TICKS_PER_SECOND, peakBytes: peakKilobytes * 1024 };
}

/** Peak memory counts from now on (proc_pid_clear_refs(5)). */
export async function forgetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5');
}
