import { type HostOptions, type RunningHost, runHost } from '../../local/host/run-host.ts';

/** A host in this process, whose environment is put back when it is closed. One at a time. */
export async function startInProcess(options: HostOptions): Promise<RunningHost & AsyncDisposable> {
  const before = { ...process.env };
  const restore = (): void => {
    for (const name of Object.keys(process.env)) if (before[name] === undefined) delete process.env[name];
    Object.assign(process.env, before);
  };
  try {
    const host = await runHost({ log: () => {}, ...options });
    const close = async (): Promise<void> => {
      await host.close();
      restore();
    };
    return { ...host, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    restore();
    throw error;
  }
}
