/** What a script sees of how a command ended. */
export const exitCodes = {
  done: 0,
  failed: 1,
  wrongUse: 2,
  incomplete: 3,
  atRisk: 4,
  notReady: 5,
  interrupted: 130,
} as const;

/**
 * `wrongUse`: the command line, the environment or a typed answer cannot be used. `refused`: by the API, with a code of
 * its closed list. `unreachable`: no usable answer from the app, which may be starting, moving or out of reach.
 * `foreign`: something other than this app answered, or the app rejected the key. `interrupted`: Ctrl-C.
 */
export type FaultKind = 'wrongUse' | 'refused' | 'unreachable' | 'foreign' | 'interrupted';

export interface FaultFacts {
  /** Of the API's closed list. */
  readonly code?: string;
  /** HTTP status of the answer. */
  readonly status?: number;
  /** The subject of a refusal, such as the id of the run in the way. */
  readonly target?: string | undefined;
  /** True when the call cannot have reached the app, so sending it again does nothing twice. */
  readonly isUnsent?: boolean;
  /** What to call instead: whole, to be pasted and filled in. */
  readonly command?: string;
}

/** Why a command ended without a result. */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly kind: FaultKind;
  readonly facts: FaultFacts;

  constructor(kind: FaultKind, message: string, facts: FaultFacts = {}) {
    super(message);
    this.kind = kind;
    this.facts = facts;
  }
}

/** `command`: what to call instead. */
export function wrongUse(message: string, command?: string): Fault {
  return new Fault('wrongUse', message, command === undefined ? {} : { command });
}

export function isFault(error: unknown, kind: FaultKind, code?: string): error is Fault {
  return error instanceof Fault && error.kind === kind && (code === undefined || error.facts.code === code);
}
