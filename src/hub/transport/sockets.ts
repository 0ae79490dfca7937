import { createSecureContext } from 'node:tls';
import { buildConnector, Client } from 'undici';

export interface SocketOptions {
  readonly connect: buildConnector.BuildOptions;
  /** How long the hub may take to begin an answer, and be silent in the middle of it. */
  readonly timeoutMs: number;
}

/**
 * The connections to one hub, each for one call at a time, and as many as there are calls at once. In place of undici's
 * `Pool`, which gives a connection to the next call two turns of the event loop later, and sets two timers meanwhile.
 */
export class Sockets {
  readonly #origin: string;
  readonly #options: Client.Options;
  readonly #all: Client[] = [];
  readonly #free: Client[] = [];

  constructor(origin: string, { connect, timeoutMs }: SocketOptions) {
    this.#origin = origin;
    this.#options = {
      pipelining: 1,
      // Over HTTP/2 all calls would share one connection, and be lost with it: decision 0016.
      allowH2: false,
      connect: buildConnector(connect),
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    };
  }

  /** The one that was free last, as the others may have been closed by now. To be given back. */
  take(): Client {
    return this.#free.pop() ?? this.#open();
  }

  giveBack(client: Client): void {
    this.#free.push(client);
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((client) => client.close()));
  }

  #open(): Client {
    const client = new Client(this.#origin, this.#options);
    this.#all.push(client);
    return client;
  }
}

const CONNECT_TIMEOUT_MS = 10_000;

/** To one hub; `trustedCertificate` in PEM is trusted in place of the public authorities. */
export function openSockets(endpoint: URL, trustedCertificate: string | undefined, timeoutMs: number): Sockets {
  // Made once: undici would have each socket make its own, which is a quarter of a handshake's processor time.
  const secureContext = createSecureContext(trustedCertificate === undefined ? {} : { ca: trustedCertificate });
  const connect = { timeout: CONNECT_TIMEOUT_MS, secureContext, allowH2: false };
  return new Sockets(endpoint.origin, { connect, timeoutMs });
}
