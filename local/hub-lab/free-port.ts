import { createServer } from 'node:http';
import { listen } from '../emulator/namespace-server.ts';

/** The port when it is free, else 0: any free one. */
export async function freeOr(port: number): Promise<number> {
  const probe = createServer();
  try {
    await listen(probe, port);
    await new Promise((resolve) => probe.close(resolve));
    return port;
  } catch {
    // Taken, most likely by another emulator.
    return 0;
  }
}
