import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';

/** A process of the benchmark that answers each message with one. */
export function startChild(file: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  // As large as a user's machine would allow: at a million rows the SDK needs more than Node's usual heap.
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args, {
    execArgv: ['--max-old-space-size=8192'],
    env: { ...process.env, ...env },
  });
  const exited = once(child, 'exit');
  /** The next message. Rejects when the process ends before. */
  const reply = async <T>(schema: z.ZodType<T>): Promise<T> => {
    const [message] = await Promise.race([once(child, 'message'), exited.then(() => [])]);
    if (message === undefined) throw new Error(`${file} ended with code ${child.exitCode}.`);
    return schema.parse(message);
  };
  return {
    pid: child.pid ?? 0,
    reply,
    ask<T>(message: object | string, schema: z.ZodType<T>): Promise<T> {
      const answer = reply(schema);
      child.send(message);
      return answer;
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Does some work, and tells what it cost the process that does it and the hub server. */
export async function withCost<T>(pid: number, serverPid: number, work: () => Promise<T>) {
  const before = await Promise.all([pid, serverPid].map(cpuSecondsOf));
  const done = await work();
  const after = await Promise.all([pid, serverPid].map(cpuSecondsOf));
  const [cpuSeconds = 0, serverCpuSeconds = 0] = after.map((now, at) => now - (before[at] ?? 0));
  return { done, cost: { cpuSeconds, serverCpuSeconds, peakBytes: await peakBytesOf(pid) } };
}

export type Cost = Awaited<ReturnType<typeof withCost>>['cost'];

/** Figures of a contender that moved `count` registrations, or made as many PUTs. */
export function figuresOf(count: number, seconds: number, { cpuSeconds, serverCpuSeconds, peakBytes }: Cost) {
  return {
    ...{ count, seconds, perSecond: count / seconds },
    cpuPer100k: (cpuSeconds / count) * 100_000,
    serverMicros: (serverCpuSeconds / count) * 1e6,
    peakMegabytes: peakBytes / 2 ** 20,
  };
}

/** The kernel's clock in /proc: 100 on every Linux that Node runs on (proc_pid_stat(5), sysconf(_SC_CLK_TCK)). */
const TICKS_PER_SECOND = 100;

async function cpuSecondsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name, which may hold blanks, ends at the last bracket; user and system time are the 14th and 15th field.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** From here on the kernel measures a new peak (proc_pid_clear_refs(5)). */
export async function forgetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5');
}

/** The most memory the process held at once. */
export async function peakBytesOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}
