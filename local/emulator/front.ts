import { createServer, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { createSecureServer } from 'node:http2';
import type { Server, Socket } from 'node:net';
import type { Readable } from 'node:stream';

/** Makes the server speak TLS, with the protocols it offers: HTTP/2 and HTTP/1.1, as the client chooses, when absent. */
export interface Tls {
  /** In PEM, as the key. */
  readonly cert: string;
  readonly key: string;
  readonly protocols?: readonly ('h2' | 'http/1.1')[];
}

/** A request, whichever protocol it came by. */
export interface Incoming extends Readable {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly httpVersion: string;
  readonly socket: Pick<Socket, 'remotePort'>;
}

/** Its answer. */
export interface Outgoing {
  readonly destroyed: boolean;
  writeHead(status: number, headers: OutgoingHttpHeaders): unknown;
  write(chunk: string | Uint8Array, written?: () => void): boolean;
  end(chunk: string): unknown;
  destroy(): unknown;
}

/** The sockets and protocols before the rules of a namespace. */
export interface Front {
  readonly server: Server;
  /** Ends the connection a request came by, with a reset. */
  reset(incoming: Incoming): void;
  /** Ends all connections. */
  destroyConnections(): void;
}

export function openFront(tls: Tls | undefined, serve: (incoming: Incoming, outgoing: Outgoing) => void): Front {
  const server = tls === undefined ? createServer(serve) : openSecure(tls, serve);
  // By the client's port: a request over TLS does not tell its TCP socket, and only that can be reset.
  const sockets = new Map<number | undefined, Socket>();
  server.on('connection', (socket: Socket) => {
    const { remotePort } = socket;
    sockets.set(remotePort, socket);
    socket.once('close', () => sockets.delete(remotePort));
  });
  return {
    server,
    reset: ({ socket }) => sockets.get(socket.remotePort)?.resetAndDestroy(),
    destroyConnections() {
      for (const socket of sockets.values()) socket.destroy();
    },
  };
}

function openSecure({ cert, key, protocols = ['h2', 'http/1.1'] }: Tls, serve: (i: Incoming, o: Outgoing) => void) {
  const server = createSecureServer({ cert, key, allowHTTP1: true, ALPNProtocols: [...protocols] }, serve);
  // A client that goes away, or shares no protocol, is no fault of the server.
  server.on('sessionError', () => {}).on('tlsClientError', () => {});
  return server;
}
