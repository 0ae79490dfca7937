/** What a script sees of how a command ended. */
export const exitCodes = { done: 0, failed: 1, wrongUse: 2, incomplete: 3, interrupted: 130 } as const;

/** The command line, the environment or an answer to a question cannot be used. */
export class WrongUse extends Error {
  override readonly name = 'WrongUse';
}

/** The API refused, with a code of its closed list. */
export class ApiRefusal extends Error {
  override readonly name = 'ApiRefusal';
  readonly status: number;
  readonly code: string;
  /** What it is about, such as the id of the run that is in the way. */
  readonly target: string | undefined;

  constructor(status: number, code: string, message: string, target?: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.target = target;
  }
}

/** Nobody answered, or something before the app did: the app may be starting, moving or out of reach. */
export class Away extends Error {
  override readonly name = 'Away';
  /** True when the call cannot have reached the app, so that it may be sent again without doing anything twice. */
  readonly isUnsent: boolean;

  constructor(message: string, isUnsent: boolean) {
    super(message);
    this.isUnsent = isUnsent;
  }
}

/** What answered is no notification-hubs-dr, or will not have this key. */
export class NotOurs extends Error {
  override readonly name = 'NotOurs';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Ctrl-C. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}
